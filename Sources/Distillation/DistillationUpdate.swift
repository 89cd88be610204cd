import DiffusionModels
import NeuralNetwork
import Tensors

/// The losses of student and discriminator, and their gradients, on a part of a batch.
///
/// The student's total is L_dist + λ_adv · L_adv + λ_FM · L_FM, whose gradient flows through the discriminator to
/// the student alone; that of the discriminator's hinge loss flows to the discriminator alone. Both walk back
/// over the same forward passes: every state is judged once.
struct DistillationUpdate {
    let student: VelocityTransformer
    /// nil while the discriminator takes no part.
    let discriminator: TrajectoryDiscriminator?
    let adversarialWeight: Float
    let featureMatchingWeight: Float
    /// Samples of the whole batch, over which every loss is a mean.
    let batchCount: Int

    /// Losses of a part; those of all parts add up to the batch's.
    struct Losses {
        var distillation: Double = 0
        var adversarial: Double = 0
        var featureMatching: Double = 0
        var discriminator: Double = 0
        /// Mean logits of the teacher's and the student's states, the part's share of them.
        var realLogit: Double = 0
        var fakeLogit: Double = 0
    }

    /// - Parameters:
    ///   - batch: the part.
    ///   - places: u in (0, 1], one a sample, where in its segment the student is asked for its velocity; nil
    ///     for the segment's start, where it is asked for its step to the end too.
    ///   - gradients: of the student's and of the discriminator's parameters; added to.
    func callAsFunction(
        _ batch: SegmentBatch,
        places: [Float]?,
        gradients: (student: ParameterGradients, discriminator: ParameterGradients),
        on tape: Tape
    ) -> Losses {
        tape.beginStep(differentiating: gradients.student, gradients.discriminator)
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
        var losses = Losses(distillation: Double(distillation.value.scalar))
        guard let discriminator else {
            tape.backward(from: distillation, to: gradients.student)
            return losses
        }
        // z_S = z_a + (b − a) · v_S(z_a, a): where one step of the student takes it.
        let states = tape.step(
            from: batch.starts,
            by: zip(batch.startSigmas, batch.endSigmas).map { $1 - $0 },
            along: places == nil ? asked : velocityAtStart()
        )
        func judge(_ states: Variable) -> TrajectoryDiscriminator.Output {
            discriminator(states: states, text: text, sigmas: batch.endSigmas, on: tape)
        }
        let real = judge(Variable(constant: batch.ends))
        let fake = judge(states)
        let adversarial = adversarialLoss(fake.logits, batchCount: batchCount, on: tape)
        let matching = featureMatchingLoss(
            real.features.map(\.value),
            fake.features,
            batchCount: batchCount,
            on: tape
        )
        let judgement = discriminatorLoss(
            real: real.logits,
            fake: fake.logits,
            batchCount: batchCount,
            on: tape
        )
        losses.adversarial = Double(adversarial.value.scalar)
        losses.featureMatching = Double(matching.value.scalar)
        losses.discriminator = Double(judgement.value.scalar)
        let logits = Double(batchCount * real.logits.shape[1])
        losses.realLogit = real.logits.value.sum / logits
        losses.fakeLogit = fake.logits.value.sum / logits
        let total = tape.weightedSum([
            (1, distillation), (adversarialWeight, adversarial), (featureMatchingWeight, matching),
        ])
        tape.backward(from: total, to: gradients.student)
        tape.backward(from: judgement, to: gradients.discriminator)
        return losses
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

extension DistillationUpdate.Losses {
    static func += (sum: inout Self, part: Self) {
        sum.distillation += part.distillation
        sum.adversarial += part.adversarial
        sum.featureMatching += part.featureMatching
        sum.discriminator += part.discriminator
        sum.realLogit += part.realLogit
        sum.fakeLogit += part.fakeLogit
    }
}
