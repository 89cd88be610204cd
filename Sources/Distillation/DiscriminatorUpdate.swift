import DiffusionModels
import Tensors

/// The discriminator's hinge loss and its gradient on one share of a batch.
struct DiscriminatorUpdate {
    let discriminator: TrajectoryDiscriminator
    /// Samples of the whole batch, over which the loss is a mean.
    let batchCount: Int

    struct Result {
        var loss: Double = 0
        /// Mean logits of the teacher's and the student's states, summed over the share and divided by the batch.
        var realLogit: Double = 0
        var fakeLogit: Double = 0
    }

    /// - Parameters:
    ///   - batch: the share; its ends are the real states.
    ///   - states: the student's states at the ends, constants.
    ///   - gradients: of the discriminator's parameters; added to.
    func callAsFunction(
        _ batch: SegmentBatch,
        states: Tensor,
        gradients: ParameterGradients,
        on tape: Tape
    ) -> Result {
        tape.beginStep(differentiating: gradients)
        defer { tape.reset() }
        let text = TextCondition(batch.text)
        let real = judge(batch.ends, batch, text, on: tape)
        let fake = judge(states, batch, text, on: tape)
        let loss = discriminatorLoss(real: real, fake: fake, batchCount: batchCount, on: tape)
        tape.backward(from: loss)
        let logits = Double(batchCount * real.shape[1])
        return Result(
            loss: Double(loss.value.scalar),
            realLogit: real.value.sum / logits,
            fakeLogit: fake.value.sum / logits
        )
    }

    private func judge(
        _ states: Tensor,
        _ batch: SegmentBatch,
        _ text: TextCondition,
        on tape: Tape
    ) -> Variable {
        discriminator(states: Variable(constant: states), text: text, sigmas: batch.endSigmas, on: tape)
            .logits
    }
}
