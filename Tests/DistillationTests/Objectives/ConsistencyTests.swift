import FlowMatching
import Tensors
import TestSupport
import Testing

@testable import Distillation

@Suite struct ConsistencyTests {
    private let clean: [Float] = [0.3, -1.2, 0.8]

    private func outcome(
        _ network: any VelocityNetwork,
        teacher: any VelocityNetwork,
        phases: Int,
        places: [Float],
        guidance: ClosedRange<Float> = 1...1
    ) -> (PhasedConsistency.Outcome, EvaluationCounts) {
        let consistency = PhasedConsistency(teaching: Toy.teaching(teacher, guidance: guidance), huber: 1e-3)
        let draws = ObjectiveDraws(
            uniforms: [places, [0.5, 0.5, 0.5]],
            noises: [Toy.latents([1.1, -0.4, 2])]
        )
        var part = Toy.part(Toy.batch([0, 0, 0], clean, from: 1, to: 0), draws, student: network)
        let outcome = consistency(&part, phases: phases, on: Tape())
        return (outcome, part.evaluations)
    }

    @Test(arguments: [1, 2, 4, 8])
    func `where all data are one point every state leads there at once, so nothing is lost`(phases: Int) {
        let point = GaussianNetwork(mean: 0.7, deviation: 1e-6)
        let (outcome, _) = outcome(point, teacher: point, phases: phases, places: [0.05, 0.5, 0.99])
        #expect(abs(outcome.loss.value.scalar) < 1e-5)
        #expect(outcome.prediction.value.largestAbsoluteDifference(to: outcome.target) < 1e-5)
    }

    @Test func `of a Gaussian's exact field the loss is what the jumps of one step more come to`() {
        let gaussian = GaussianNetwork()
        let (outcome, evaluations) = outcome(
            gaussian,
            teacher: gaussian,
            phases: 4,
            places: [0.01, 0.3, 0.99]
        )
        let fine = Toy.grid.teacher
        var total: Float = 0
        for (sample, step) in [0, 2, 7].enumerated() {
            let (t, s, e) = (fine[step], fine[step + 1], fine[(step / 2 + 1) * 2])
            let noise: [Float] = [1.1, -0.4, 2]
            let z: Float = (1 - t) * clean[sample] + t * noise[sample]
            let predicted: Float = z * (1 + (e - t) * gaussian.slope(t))
            let solved: Float = z * (1 + (s - t) * gaussian.slope(t))
            let target: Float = solved * (1 + (e - s) * gaussian.slope(s))
            #expect(abs(outcome.prediction.value.values[sample] - predicted) < 1e-5)
            #expect(abs(outcome.target.values[sample] - target) < 1e-5)
            #expect(outcome.ends[sample] == e)
            let distance = predicted - target
            total += (distance * distance + 1e-6).squareRoot() - 1e-3
        }
        #expect(abs(outcome.loss.value.scalar - total / 3) < 1e-5)
        // Unguided: one evaluation of the teacher, two of the student, one of them without gradients.
        #expect(evaluations == EvaluationCounts(student: 6, teacher: 3))
    }

    @Test func `the teacher's step is guided, and then costs two evaluations`() {
        let gaussian = GaussianNetwork()
        let (_, evaluations) = outcome(
            gaussian,
            teacher: gaussian,
            phases: 1,
            places: [0.1, 0.5, 0.9],
            guidance: 3...4
        )
        #expect(evaluations == EvaluationCounts(student: 6, teacher: 6))
    }

    @Test func `what is judged lies within its phase, as far as it was drawn`() {
        let renoising = Renoising(from: [0.5, 0], to: [0.75, 0.5], noise: Toy.latents([2, 2]))
        // ((1 − .75) x + (.75 − .5) ε) / (1 − .5), and (1 − .5) x + .5 ε.
        #expect(renoising(Toy.latents([4, 4])).values == [3, 3])
        #expect(renoising(Variable(constant: Toy.latents([4, 4])), on: Tape()).value.values == [3, 3])
    }

    @Test func `Hyper-SD goes through its stages and then stays in the last`() {
        var settings = TrainingSettings()
        settings.stageSteps = 10
        let stages = [0, 9, 10, 29, 30, 1000].map { settings.stage(step: $0, of: 4) }
        #expect(stages == [0, 0, 1, 2, 3, 3])
        settings.stageSteps = 0
        #expect(settings.stage(step: 0, of: 4) == 3)
    }
}
