package import DiffusionModels
package import Tensors

/// A discriminator as objectives see it.
package protocol StateJudge: Sendable {
    /// Logits and features of states `[samples, channels, height, width]` at noise levels `sigmas`.
    func callAsFunction(states: Variable, text: TextCondition, sigmas: [Float], on tape: Tape)
        -> TrajectoryDiscriminator.Output
}

extension TrajectoryDiscriminator: StateJudge {}

/// What a student and a discriminator of its states play for.
struct AdversarialGame {
    let discriminator: any StateJudge
    let loss: AdversarialLoss
    /// λ of the student's adversarial loss.
    var weight: Float
    /// λ of feature matching.
    ///
    /// nil leaves feature matching out, in methods that know none.
    let featureMatchingWeight: Float?
    /// λ of the approximate R1 penalty; 0 leaves it out.
    let penaltyWeight: Float

    /// Noises an update draws for the penalty; they come last.
    var noises: Int { penaltyWeight > 0 ? 1 : 0 }

    init(
        _ discriminator: any StateJudge,
        _ settings: TrainingSettings,
        featureMatchingWeight: Float? = nil
    ) {
        self.discriminator = discriminator
        loss = settings.adversarialLoss
        weight = settings.adversarialWeight
        penaltyWeight = settings.penaltyWeight
        self.featureMatchingWeight = featureMatchingWeight
    }

    /// The losses of both.
    ///
    /// - Parameters:
    ///   - real: the teacher's states, constant.
    ///   - fake: the student's, of the same shape and noise levels.
    func terms(
        _ part: inout ObjectivePart,
        real: Tensor,
        fake: Variable,
        sigmas: [Float],
        on tape: Tape
    ) -> ObjectiveTerms {
        let realStates = real
        let real = judge(&part, Variable(constant: real), sigmas, on: tape)
        let fake = judge(&part, fake, sigmas, on: tape)
        let count = part.batchCount
        var terms = ObjectiveTerms()
        terms.student = [
            .init("adversarial", weight: weight, loss.student(fake: fake.logits, batchCount: count, on: tape))
        ]
        if let featureMatchingWeight {
            let matching = featureMatchingLoss(
                real.features.map(\.value),
                fake.features,
                batchCount: count,
                on: tape
            )
            terms.student.append(.init("feature_matching", weight: featureMatchingWeight, matching))
        }
        let judgement = loss.discriminator(
            real: real.logits,
            fake: fake.logits,
            batchCount: count,
            on: tape
        )
        terms.critic = [.init("discriminator", judgement)]
        if penaltyWeight > 0, let noise = part.draws.noises.last {
            let moved = realStates.adding(noise, scaledBy: Self.perturbation)
            let perturbed = judge(&part, Variable(constant: moved), sigmas, on: tape)
            let loss = penalty(real.logits, perturbed.logits, count, on: tape)
            terms.critic.append(.init("r1", weight: penaltyWeight, loss))
        }
        terms.logits = (mean(real.logits, count), mean(fake.logits, count))
        return terms
    }

    /// How far real states are moved for the penalty.
    private static let perturbation: Float = 0.1

    /// mean (D(x) − D(x + .1 ε))²: how steep the discriminator is around real states, in the place of R1's gradient
    /// (NVlabs/FastGen), which would be differentiated twice.
    private func penalty(
        _ real: [Variable],
        _ perturbed: [Variable],
        _ batchCount: Int,
        on tape: Tape
    ) -> Variable {
        let losses = zip(real, perturbed).map { real, perturbed in
            let signs = [Float](repeating: -1, count: real.shape[0])
            let negative = tape.step(from: .zeros(real.shape), by: signs, along: perturbed)
            return tape.squaredError(
                tape.add(real, negative),
                target: .zeros(real.shape),
                scale: 1 / Float(batchCount * real.shape[1])
            )
        }
        return tape.weightedSum(losses.map { (1 / Float(losses.count), $0) })
    }

    /// The mean logit of all heads, a part's share of it.
    private func mean(_ heads: [Variable], _ batchCount: Int) -> Double {
        heads.reduce(0) { $0 + $1.value.sum / Double(heads.count * batchCount * $1.shape[1]) }
    }

    private func judge(
        _ part: inout ObjectivePart,
        _ states: Variable,
        _ sigmas: [Float],
        on tape: Tape
    ) -> TrajectoryDiscriminator.Output {
        part.countCriticEvaluations()
        return discriminator(states: states, text: part.text, sigmas: sigmas, on: tape)
    }
}
