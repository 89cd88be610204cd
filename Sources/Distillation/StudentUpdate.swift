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
    ///   - places: u in (0, 1], one a sample, where in its segment the student is asked for its velocity; nil
    ///     for the segment's start, where it is asked for its step to the end too.
    ///   - gradients: of the student's parameters; added to.
    func callAsFunction(
        _ batch: SegmentBatch,
        places: [Float]?,
        gradients: ParameterGradients,
        on tape: Tape
    ) -> Result {
        tape.beginStep(differentiating: gradients)
        defer { tape.reset() }
        let text = TextCondition(batch.text)
        let target = SegmentTarget(batch)
        func velocityAtStart() -> Variable { velocity(at: batch.starts, batch.startSigmas, text, on: tape) }
        let asked: Variable
        if let places {
            let sigmas = target.sigmas(at: places)
            asked = velocity(at: target.states(at: sigmas), sigmas, text, on: tape)
        } else {
            asked = velocityAtStart()
        }
        let distillation = distillationLoss(asked, target, on: tape)
        var result = Result(distillation: Double(distillation.value.scalar))
        guard let discriminator else {
            tape.backward(from: distillation)
            return result
        }
        // z_S = z_a + (b − a) · v_S(z_a, a): where one step of the student takes it.
        let widths = zip(batch.startSigmas, batch.endSigmas).map { $1 - $0 }
        let states = tape.step(
            from: batch.starts,
            by: widths,
            along: places == nil ? asked : velocityAtStart()
        )
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
    private func distillationLoss(_ velocity: Variable, _ target: SegmentTarget, on tape: Tape) -> Variable {
        let elements = target.velocity.count / target.velocity.shape[0] * batchCount
        return tape.squaredError(velocity, target: target.velocity, scale: 1 / Float(elements))
    }

    private func velocity(
        at states: Tensor,
        _ sigmas: [Float],
        _ text: TextCondition,
        on tape: Tape
    ) -> Variable {
        student(latents: Variable(constant: states), text: text, sigmas: sigmas, on: tape)
    }
}
