import DiffusionModels
import NeuralNetwork
import Tensors

/// The student's losses and their gradient on one share of a batch.
///
/// total = L_dist + λ_adv · L_adv + λ_FM · L_FM. The discriminator's parameters are constants here: the gradient
/// flows through it to the student's state only.
struct StudentUpdate {
    let student: VelocityTransformer
    /// nil while the discriminator takes no part.
    let discriminator: TrajectoryDiscriminator?
    let adversarialWeight: Float
    let featureMatchingWeight: Float
    /// Samples of the whole batch, over which every loss is a mean.
    let batchCount: Int

    struct Result {
        var distillation: Double = 0
        var adversarial: Double = 0
        var featureMatching: Double = 0
        /// The student's states at the ends of the segments; nil without a discriminator.
        var states: Tensor?
    }

    /// - Parameters:
    ///   - batch: the share.
    ///   - places: u in (0, 1], one a sample, where in its segment the student is asked for its velocity.
    ///   - gradients: of the student's parameters; added to.
    func callAsFunction(
        _ batch: SegmentBatch,
        places: [Float],
        gradients: ParameterGradients,
        on tape: Tape
    ) -> Result {
        tape.beginStep(differentiating: gradients)
        defer { tape.reset() }
        let text = TextCondition(batch.text)
        let distillation = distillationLoss(batch, places: places, text: text, on: tape)
        var result = Result(distillation: Double(distillation.value.scalar))
        guard let discriminator else {
            tape.backward(from: distillation)
            return result
        }
        let states = studentStates(batch, text: text, on: tape)
        let real = discriminator(
            states: Variable(constant: batch.ends),
            text: text,
            sigmas: batch.endSigmas,
            on: tape
        )
        let fake = discriminator(states: states, text: text, sigmas: batch.endSigmas, on: tape)
        let adversarial = adversarialLoss(fake.logits, batchCount: batchCount, on: tape)
        let matching = featureMatchingLoss(
            real.features.map(\.value),
            fake.features,
            batchCount: batchCount,
            on: tape
        )
        result.adversarial = Double(adversarial.value.scalar)
        result.featureMatching = Double(matching.value.scalar)
        result.states = states.value.copied()
        tape.backward(
            from: tape.weightedSum([
                (1, distillation), (adversarialWeight, adversarial), (featureMatchingWeight, matching),
            ])
        )
        return result
    }

    /// L_dist = mean (v_S(z_t, t) − v*)².
    private func distillationLoss(
        _ batch: SegmentBatch,
        places: [Float],
        text: TextCondition,
        on tape: Tape
    ) -> Variable {
        let target = SegmentTarget(batch)
        let sigmas = target.sigmas(at: places)
        let velocity = student(
            latents: Variable(constant: target.states(at: sigmas)),
            text: text,
            sigmas: sigmas,
            on: tape
        )
        let elements = target.velocity.count / batch.count * batchCount
        return tape.squaredError(velocity, target: target.velocity, scale: 1 / Float(elements))
    }

    /// z_S = z_a + (b − a) · v_S(z_a, a): where one step of the student takes it.
    private func studentStates(_ batch: SegmentBatch, text: TextCondition, on tape: Tape) -> Variable {
        let velocity = student(
            latents: Variable(constant: batch.starts),
            text: text,
            sigmas: batch.startSigmas,
            on: tape
        )
        let widths = zip(batch.startSigmas, batch.endSigmas).map { $1 - $0 }
        return tape.step(from: batch.starts, by: widths, along: velocity)
    }
}
