import FlowMatching
import Tensors

/// Flash Diffusion (Chadebec and others 2024; gojasper/flash-diffusion): from states that mix clean latents and noise
/// at one of K anchors, the student goes to data at once, to where the teacher goes in all its remaining steps; with a
/// discriminator and distribution matching, whose weights rise over four stages.
///
/// Distances are squared ones of latents, where its program compares decoded crops by LPIPS. Real latents are the
/// teacher's (its `use_teacher_as_real`). For distribution matching the student itself gives the velocity of its
/// distribution, as in its program. Starts lie at the anchors or a teacher step beside them.
struct Flash: Objective {
    let settings: TrainingSettings
    let matching: DistributionMatching
    let game: AdversarialGame
    let shift: TimeShift

    /// Shares of the stated weights that the stages have (its SD3 configuration: 0, .1, .3, .5 and 0, .3, .5, .7).
    private static let adversarialShares: [Float] = [0, 0.2, 0.6, 1]
    private static let matchingShares: [Float] = [0, 3.0 / 7, 5.0 / 7, 1]
    /// Unshifted times that are judged at, each as often (entries −10, −250, −500, −750 of its table of 1000).
    private static let judgedTimes = [0.01, 0.25, 0.5, 0.75]

    /// Uniform: the judged level, the level of matching, guidance; noise: of both levels.
    var randomNumbers: ObjectiveDraws.Need { .init(uniforms: 3, noises: 2 + game.noises) }

    func turn(step: Int) -> ObjectiveTurn {
        ObjectiveTurn(updatesStudent: true, updatesCritic: adversarialWeight(step: step) > 0)
    }

    func terms(_ part: inout ObjectivePart, on tape: Tape) -> ObjectiveTerms {
        let batch = part.batch
        let made = tape.step(
            from: batch.starts,
            by: batch.startSigmas.map { -$0 },
            along: part.studentVelocity(at: batch.starts, batch.startSigmas, on: tape)
        )
        var terms = ObjectiveTerms()
        let distance = tape.squaredError(made, target: batch.ends, scale: part.meanScale(made.shape))
        terms.student = [.init("distillation", distance)]
        let weight = settings.matchingWeight * share(Self.matchingShares, step: part.step)
        if weight > 0 {
            let loss = matching.loss(
                &part,
                made,
                sigmas: DistributionMatching.sigmas(part.draws.uniforms[1]),
                noise: part.draws.noises[1],
                scales: matching.teaching.scales(part.draws.uniforms[2]),
                fake: { $0.studentValue(at: $1, $2) },
                on: tape
            )
            terms.student.append(.init("distribution_matching", weight: weight, loss))
        }
        guard part.turn.updatesCritic else { return terms }
        let times = Self.judgedTimes
        let renoising = Renoising(
            to: part.draws.uniforms[0].map { uniform in
                Float(shift.sigma(atTime: times[min(times.count - 1, Int(uniform * Float(times.count)))]))
            },
            noise: part.draws.noises[0]
        )
        var game = game
        game.weight = adversarialWeight(step: part.step)
        let judged = game.terms(
            &part,
            real: renoising(batch.ends),
            fake: renoising(made, on: tape),
            sigmas: renoising.sigmas,
            on: tape
        )
        terms.append(judged)
        return terms
    }

    private func adversarialWeight(step: Int) -> Float {
        settings.adversarialWeight * share(Self.adversarialShares, step: step)
    }

    private func share(_ shares: [Float], step: Int) -> Float {
        shares[settings.stage(step: step, of: shares.count)]
    }
}
