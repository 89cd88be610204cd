import Tensors

/// PeRFlow (Yan and others 2024, §3; magic-research/piecewise-rectified-flow): straight lines of segments that start
/// at clean latents mixed with noise, and nothing else.
///
/// The clean latents are ends of the teacher's own trajectories.
struct PeRFlow: Objective {
    let places: TrainingSettings.Places

    var randomNumbers: ObjectiveDraws.Need { .init(uniforms: places == .uniform ? 1 : 0) }

    func terms(_ part: inout ObjectivePart, on tape: Tape) -> ObjectiveTerms {
        let line = StraightLineLoss(&part, places: part.draws.uniforms.first, on: tape)
        var terms = ObjectiveTerms()
        terms.student = [.init("distillation", line.loss)]
        return terms
    }
}
