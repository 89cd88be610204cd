import FlowMatching
import Tensors
import Testing

struct GuidanceTests {
    private let conditional = noise(seed: 21)
    private let unconditional = noise(seed: 22)

    @Test
    func `every sample is guided by its own scale`() {
        let guidance = Guidance(scales: [3, -0.5])
        let guided = guidance.combine(.concatenated([unconditional, conditional]))
        let half = conditional.count / 2
        let expected = (0..<conditional.count).map { index in
            let scale: Float = index < half ? 3 : -0.5
            return unconditional.values[index]
                + scale * (conditional.values[index] - unconditional.values[index])
        }
        #expect(guided.shape == conditional.shape)
        #expect(guided.largestAbsoluteDifference(to: Tensor(expected, shape: guided.shape)) < 1e-5)
    }

    @Test
    func `a scale of zero is the unconditional velocity`() {
        let guided = Guidance(scale: 0, sampleCount: 2).combine(.concatenated([unconditional, conditional]))
        #expect(guided.values == unconditional.values)
    }

    @Test
    func `a scale of one needs no unconditional evaluation`() {
        let guidance = Guidance(scale: 1, sampleCount: 2)
        #expect(!guidance.needsUnconditional)
        #expect(guidance.evaluationsPerStep == 1)
        #expect(guidance.batch(conditional).shape == conditional.shape)
        #expect(guidance.combine(conditional).values == conditional.values)
    }

    @Test
    func `one guided sample makes the whole batch evaluate both halves`() {
        let guidance = Guidance(scales: [1, 2])
        #expect(guidance.evaluationsPerStep == 2)
        let batch = guidance.batch(conditional)
        #expect(batch.shape == [4, 3, 4, 4])
        #expect(batch.rows(0..<2).values == conditional.values)
        #expect(batch.rows(2..<4).values == conditional.values)
    }

    @Test(arguments: zip([1, 7.5] as [Float], [1, 2]))
    func `a guided solve of M steps up to a segment costs its scale's evaluations`(scale: Float, perStep: Int)
    {
        let grid = SegmentGrid(kind: .rectified, segmentCount: 4, stepsPerSegment: 8, shift: 3)
        for segment in 0..<4 {
            let counter = GuidedConstantField.Evaluations()
            let field = GuidedConstantField(
                conditional: conditional,
                unconditional: unconditional,
                guidance: Guidance(scale: scale, sampleCount: 2),
                evaluations: counter
            )
            let solver = EulerSolver(grid.teacher)
            let start = solver.solve(field, from: noise(seed: 23), over: grid.steps(before: segment))
            _ = solver.solve(field, from: start, over: grid.steps(of: segment))
            #expect(counter.count == 2 * perStep * 8 * (segment + 1))
        }
    }
}
