import Tensors

/// Consistency distillation (Song and others 2023, algorithm 2; with guidance in the teacher's step as in Latent
/// Consistency Models, Luo and others 2023): every state leads to the data at once.
///
/// Clean latents are ends of the teacher's trajectories. The student is sampled by jumps to data and fresh noise.
struct Consistency: Objective {
    let consistency: PhasedConsistency

    var randomNumbers: ObjectiveDraws.Need { PhasedConsistency.randomNumbers }

    func terms(_ part: inout ObjectivePart, on tape: Tape) -> ObjectiveTerms {
        var terms = ObjectiveTerms()
        terms.student = [.init("consistency", consistency(&part, phases: 1, on: tape).loss)]
        return terms
    }
}
