import FlowMatching
import Tensors

/// Phased Consistency Models (Wang and others 2024; G-U-N/Phased-Consistency-Model): consistency within each of the K
/// phases, and a discriminator that compares where student and consistency target arrive.
///
/// Both are moved to a noise level within their phase before they are judged. Student and discriminator learn on the
/// same batch, where PCM's own program lets them take turns.
struct PCM: Objective {
    let settings: TrainingSettings
    let consistency: PhasedConsistency
    let game: AdversarialGame

    var randomNumbers: ObjectiveDraws.Need { ConsistencyJudgement.randomNumbers(of: game) }

    func turn(step: Int) -> ObjectiveTurn {
        ObjectiveTurn(updatesStudent: true, updatesCritic: settings.isAdversarial(step: step))
    }

    func terms(_ part: inout ObjectivePart, on tape: Tape) -> ObjectiveTerms {
        let outcome = consistency(&part, phases: consistency.teaching.grid.segmentCount, on: tape)
        var terms = ObjectiveTerms()
        terms.student = [.init("consistency", outcome.loss)]
        guard part.turn.updatesCritic else { return terms }
        let judged = ConsistencyJudgement(outcome, part.draws)
        terms.append(judged.terms(&part, game, outcome, on: tape))
        return terms
    }
}

/// Where a phase's outcomes are judged: at a noise level drawn evenly within the phase (PCM §3.4).
struct ConsistencyJudgement {
    private let renoising: Renoising

    /// Those of consistency, then the noise level and noise of what is judged.
    static func randomNumbers(of game: AdversarialGame) -> ObjectiveDraws.Need {
        let need = PhasedConsistency.randomNumbers
        return .init(uniforms: need.uniforms + 1, noises: need.noises + 1 + game.noises)
    }

    /// - Parameter draws: those behind the ones of consistency are used.
    init(_ outcome: PhasedConsistency.Outcome, _ draws: ObjectiveDraws) {
        let need = PhasedConsistency.randomNumbers
        let places = draws.uniforms[need.uniforms]
        let spans = zip(outcome.starts, outcome.ends)
        renoising = Renoising(
            from: outcome.ends,
            to: zip(places, spans).map { $1.1 + ($1.0 - $1.1) * $0 },
            noise: draws.noises[need.noises]
        )
    }

    func terms(
        _ part: inout ObjectivePart,
        _ game: AdversarialGame,
        _ outcome: PhasedConsistency.Outcome,
        on tape: Tape
    ) -> ObjectiveTerms {
        game.terms(
            &part,
            real: renoising(outcome.target),
            fake: renoising(outcome.prediction, on: tape),
            sigmas: renoising.sigmas,
            on: tape
        )
    }
}
