import FlowMatching
import Tensors
import Testing

struct EulerSolverTests {
    private let grid = SegmentGrid(kind: .rectified, segmentCount: 4, stepsPerSegment: 8, shift: 3)
    private let gaussian = GaussianField(mean: 0.7, deviation: 0.4)

    @Test
    func `a step is the latents plus the signed width times the velocity`() {
        let solver = EulerSolver(grid.edges)
        let start = noise(seed: 1)
        let velocity = CurvedField().velocity(of: start, at: 0.75)
        let expected = zip(start.values, velocity.values).map { $0 - 0.25 * $1 }
        let step = solver.step(2, from: start, in: CurvedField())
        #expect(step.largestAbsoluteDifference(to: Tensor(expected, shape: start.shape)) < 1e-6)
    }

    @Test
    func `Euler's method converges to the exact solution of Gaussian data at first order`() {
        let start = noise(seed: 2)
        let exact = gaussian.solution(from: start, at: 0)
        let errors = [16, 32, 64, 128].map { steps in
            let solver = EulerSolver(.rectified(stepCount: steps, shift: 1))
            return solver.solve(gaussian, from: start).squaredDistance(to: exact).squareRoot()
        }
        for (coarse, fine) in zip(errors, errors.dropFirst()) {
            #expect(
                (1.8...2.2).contains(coarse / fine),
                "halving the step divided the error by \(coarse / fine)"
            )
        }
    }

    @Test
    func `the pre-roll to a segment follows the exact solution`() {
        let fine = SegmentGrid(kind: .rectified, segmentCount: 4, stepsPerSegment: 512, shift: 3)
        let start = noise(seed: 3)
        for segment in 0..<4 {
            let state = EulerSolver(fine.teacher).solve(
                gaussian,
                from: start,
                over: fine.steps(before: segment)
            )
            let exact = gaussian.solution(from: start, at: fine.start(of: segment))
            #expect(state.largestAbsoluteDifference(to: exact) < 5e-3)
        }
    }

    @Test
    func `solving in pieces gives the bits of solving at once`() {
        let solver = EulerSolver(grid.teacher)
        let start = noise(seed: 4)
        let whole = solver.solve(CurvedField(), from: start)
        var inSteps = start
        for index in 0..<32 { inSteps = solver.step(index, from: inSteps, in: CurvedField()) }
        let half = solver.solve(CurvedField(), from: start, over: 0..<13)
        let halves = solver.solve(CurvedField(), from: half, over: 13..<32)
        #expect(inSteps.values == whole.values)
        #expect(halves.values == whole.values)
    }

    @Test
    func `recorded states are those a shorter solve ends in`() {
        let solver = EulerSolver(grid.teacher)
        let start = noise(seed: 5)
        let states = solver.states(of: CurvedField(), from: start, at: grid.edgeIndices)
        #expect(states.count == 5)
        #expect(states[0].values == start.values)
        for (state, index) in zip(states, grid.edgeIndices) {
            #expect(state.values == solver.solve(CurvedField(), from: start, over: 0..<index).values)
        }
    }

    @Test
    func `the solver stops at the last state asked for`() {
        let counter = GuidedConstantField.Evaluations()
        let start = noise(seed: 6)
        let field = GuidedConstantField(
            conditional: start,
            unconditional: start,
            guidance: Guidance(scale: 1, sampleCount: 2),
            evaluations: counter
        )
        #expect(EulerSolver(grid.teacher).states(of: field, from: start, at: []).isEmpty)
        #expect(counter.count == 0)
        #expect(EulerSolver(grid.teacher).states(of: field, from: start, at: [2, 9]).count == 2)
        #expect(counter.count == 9 * 2)
    }

    @Test
    func `the latents given are not written`() {
        let start = noise(seed: 7)
        let before = start.values
        _ = EulerSolver(grid.edges).solve(CurvedField(), from: start)
        _ = EulerSolver(grid.edges).states(of: CurvedField(), from: start, at: [0, 4])
        #expect(start.values == before)
    }

    @Test(arguments: ScheduleKind.allCases)
    func `mean velocities times widths telescope to the teacher's whole way`(kind: ScheduleKind) {
        let grid = SegmentGrid(kind: kind, segmentCount: 4, stepsPerSegment: 8, shift: 3)
        let start = noise(seed: 8)
        let states = EulerSolver(grid.teacher).states(of: CurvedField(), from: start, at: grid.edgeIndices)
        let sum = Tensor.zeros(start.shape)
        for segment in 0..<4 {
            sum.accumulate(meanVelocity(of: segment, in: grid, states), scaledBy: grid.width(of: segment))
        }
        #expect(sum.largestAbsoluteDifference(to: states[4].subtracting(start)) < 2e-6)
    }

    @Test(arguments: ScheduleKind.allCases)
    func `a student that remembers the mean velocities ends where the teacher ends`(kind: ScheduleKind) {
        let grid = SegmentGrid(kind: kind, segmentCount: 4, stepsPerSegment: 8, shift: 3)
        let start = noise(seed: 9)
        let states = EulerSolver(grid.teacher).states(of: CurvedField(), from: start, at: grid.edgeIndices)
        let student = RememberedField(
            targets: Dictionary(
                uniqueKeysWithValues: (0..<4).map {
                    (grid.start(of: $0), meanVelocity(of: $0, in: grid, states))
                }
            )
        )
        let end = EulerSolver(grid.edges).solve(student, from: start)
        #expect(end.largestAbsoluteDifference(to: states[4]) < 2e-6)
    }

    @Test
    func `noised latents lie on the straight path`() {
        let clean = noise(seed: 10)
        let noise = noise(seed: 11)
        #expect(clean.noised(with: noise, at: 0).values == clean.values)
        #expect(clean.noised(with: noise, at: 1).values == noise.values)
        let expected = zip(clean.values, noise.values).map { 0.25 * $0 + 0.75 * $1 }
        let between = clean.noised(with: noise, at: 0.75)
        #expect(between.largestAbsoluteDifference(to: Tensor(expected, shape: clean.shape)) < 1e-6)
    }

    private func meanVelocity(of segment: Int, in grid: SegmentGrid, _ states: [Tensor]) -> Tensor {
        states[segment + 1].subtracting(states[segment]).scaled(by: 1 / grid.width(of: segment))
    }
}
