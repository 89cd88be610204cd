import Tensors

/// ReFlow (Liu and others 2022, "Flow Straight and Fast", §2): one straight line from noise to the end of the
/// teacher's whole trajectory, so K = 1 in training, whatever number of steps is sampled with.
struct ReFlow: Objective {
    var randomNumbers: ObjectiveDraws.Need { .init(uniforms: 1) }

    func terms(_ part: inout ObjectivePart, on tape: Tape) -> ObjectiveTerms {
        let line = StraightLineLoss(&part, places: part.draws.uniforms[0], on: tape)
        var terms = ObjectiveTerms()
        terms.student = [.init("distillation", line.loss)]
        return terms
    }
}
