import DiffusionModels
import FlowMatching
import Tensors

/// FlowSteer (arXiv 2511.18834, §3): straight lines of segments that start on the teacher's own trajectory, and a
/// discriminator of the states that the student's steps lead to.
///
/// The student's total is L_dist + λ_adv · L_adv + λ_FM · L_FM, whose gradient flows through the discriminator to
/// the student alone; that of the discriminator's loss flows to the discriminator alone. Both walk back over the
/// same forward passes: every state is judged once.
struct FlowSteer: Objective {
    let settings: TrainingSettings
    let game: AdversarialGame
    /// The student's edges; nil where no state is rolled out.
    let edges: SigmaSchedule?

    /// Uniform: the place in the segment, then the judged noise level; where these are drawn.
    var randomNumbers: ObjectiveDraws.Need {
        let renoised = settings.renoisesJudged ? 1 : 0
        return .init(
            uniforms: (settings.places == .uniform ? 1 : 0) + renoised,
            noises: renoised + game.noises
        )
    }

    func turn(step: Int) -> ObjectiveTurn {
        ObjectiveTurn(updatesStudent: true, updatesCritic: settings.isAdversarial(step: step))
    }

    func terms(_ part: inout ObjectivePart, on tape: Tape) -> ObjectiveTerms {
        let places = settings.places == .uniform ? part.draws.uniforms[0] : nil
        let line = StraightLineLoss(&part, places: places, on: tape)
        var terms = ObjectiveTerms()
        terms.student = [.init("distillation", line.loss)]
        guard part.turn.updatesCritic else { return terms }
        let batch = part.batch
        let widths = zip(batch.startSigmas, batch.endSigmas).map { $1 - $0 }
        // z_S = z_a + (b − a) · v_S(z_a, a): where one step of the student takes it.
        let states: Variable
        if settings.states == .rollout, let edges, let noise = batch.noise {
            let starts = rollOut(&part, from: noise, along: edges)
            let velocity = part.studentVelocity(at: starts, batch.startSigmas, on: tape)
            states = tape.step(from: starts, by: widths, along: velocity)
        } else {
            states = tape.step(
                from: batch.starts,
                by: widths,
                along: line.velocityAtStart
                    ?? part.studentVelocity(at: batch.starts, batch.startSigmas, on: tape)
            )
        }
        guard settings.renoisesJudged else {
            let judged = game.terms(&part, real: batch.ends, fake: states, sigmas: batch.endSigmas, on: tape)
            terms.append(judged)
            return terms
        }
        let levels = part.draws.uniforms[part.draws.uniforms.count - 1]
        let renoising = Renoising(
            from: batch.endSigmas,
            to: zip(levels, zip(batch.startSigmas, batch.endSigmas)).map { $1.1 + ($1.0 - $1.1) * $0 },
            noise: part.draws.noises[0]
        )
        let judged = game.terms(
            &part,
            real: renoising(batch.ends),
            fake: renoising(states, on: tape),
            sigmas: renoising.sigmas,
            on: tape
        )
        terms.append(judged)
        return terms
    }

    /// Where the student's own steps from noise arrive at the samples' segments, without gradients.
    private func rollOut(_ part: inout ObjectivePart, from noise: Tensor, along edges: SigmaSchedule)
        -> Tensor
    {
        let steps = part.batch.startSigmas.map { sigma in
            (0..<edges.stepCount).first { edges[$0] <= sigma } ?? 0
        }
        let arrived = noise.copied()
        var state = noise
        for step in 0..<(steps.max() ?? 0) {
            let sigmas = [Float](repeating: edges[step], count: part.count)
            state = state.adding(part.studentValue(at: state, sigmas), scaledBy: edges.width(ofStep: step))
            for sample in steps.indices where steps[sample] == step + 1 {
                arrived.row(sample).copy(from: state.row(sample))
            }
        }
        return arrived
    }
}
