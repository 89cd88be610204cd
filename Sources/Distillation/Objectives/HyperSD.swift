import Tensors

/// Hyper-SD's trajectory-segmented consistency (Ren and others 2024, §3.1): consistency within segments of which there
/// are fewer from stage to stage, 8, 4, 2, 1, while a discriminator gains weight.
///
/// The adversarial weight of stage s of n is s / (n − 1) of the stated one: the paper says that it rises, not how. Its
/// human-feedback learning and its score distillation for one step are not here. The student is sampled by jumps to the
/// ends of the last stage's segments.
struct HyperSD: Objective {
    let settings: TrainingSettings
    let consistency: PhasedConsistency
    let game: AdversarialGame

    var randomNumbers: ObjectiveDraws.Need { ConsistencyJudgement.randomNumbers(of: game) }

    func turn(step: Int) -> ObjectiveTurn {
        ObjectiveTurn(
            updatesStudent: true,
            updatesCritic: weight(step: step) > 0 && step >= settings.adversarialStartStep
        )
    }

    func terms(_ part: inout ObjectivePart, on tape: Tape) -> ObjectiveTerms {
        let outcome = consistency(&part, phases: settings.stages[stage(part.step)], on: tape)
        var terms = ObjectiveTerms()
        terms.student = [.init("consistency", outcome.loss)]
        guard part.turn.updatesCritic else { return terms }
        var game = game
        game.weight = weight(step: part.step)
        terms.append(ConsistencyJudgement(outcome, part.draws).terms(&part, game, outcome, on: tape))
        return terms
    }

    private func stage(_ step: Int) -> Int { settings.stage(step: step, of: settings.stages.count) }

    private func weight(step: Int) -> Float {
        settings.adversarialWeight * Float(stage(step)) / Float(max(1, settings.stages.count - 1))
    }
}
