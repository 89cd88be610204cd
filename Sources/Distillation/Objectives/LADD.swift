import FlowMatching
import Tensors

/// Latent Adversarial Diffusion Distillation (Sauer and others 2024): the student's clean latents against the teacher's,
/// both moved to a noise level drawn from a logit-normal law, judged by heads on the frozen teacher's blocks.
///
/// With latents that the teacher made the adversarial loss alone suffices (§3). The student is asked at the K noise
/// levels of its sampling; a first stage asks the lower half of them alone.
struct LADD: Objective {
    let settings: TrainingSettings
    let grid: SegmentGrid
    let game: AdversarialGame

    /// Uniform: the student's noise level; normal: the judged one; noise: of both.
    var randomNumbers: ObjectiveDraws.Need { .init(uniforms: 1, noises: 2 + game.noises, normals: 1) }

    func turn(step: Int) -> ObjectiveTurn { ObjectiveTurn(updatesStudent: true, updatesCritic: true) }

    func terms(_ part: inout ObjectivePart, on tape: Tape) -> ObjectiveTerms {
        let probabilities = probabilities(step: part.step)
        let sigmas = part.draws.uniforms[0].map { grid.start(of: categorical(probabilities, $0)) }
        let states = part.batch.ends.noised(with: part.draws.noises[0], at: sigmas)
        let made = tape.step(
            from: states,
            by: sigmas.map { -$0 },
            along: part.studentVelocity(at: states, sigmas, on: tape)
        )
        // Logit-normal(1, 1): structure is judged more often than texture.
        let renoising = Renoising(
            to: part.draws.normals[0].map { (1 + $0).logistic },
            noise: part.draws.noises[1]
        )
        return game.terms(
            &part,
            real: renoising(part.batch.ends),
            fake: renoising(made, on: tape),
            sigmas: renoising.sigmas,
            on: tape
        )
    }

    /// Of the student's noise levels, from noise down.
    func probabilities(step: Int) -> [Float] {
        guard settings.stage(step: step, of: 2) == 0 else { return settings.segmentProbabilities }
        let count = grid.segmentCount
        return (0..<count).map { $0 >= count / 2 ? 1 / Float(count - count / 2) : 0 }
    }
}
