import FlowMatching
import Testing

struct SegmentGridTests {
    @Test
    func `the teacher's rectified grid passes the student's edges bit for bit`() {
        let grid = SegmentGrid(kind: .rectified, segmentCount: 4, stepsPerSegment: 8, shift: 3)
        #expect(grid.teacher == .rectified(stepCount: 32, shift: 3))
        #expect(grid.edges == .rectified(stepCount: 4, shift: 3))
        #expect(grid.edgeIndices == [0, 8, 16, 24, 32])
        #expect(grid.edgeIndices.map { grid.teacher.sigmas[$0] } == grid.edges.sigmas)
    }

    @Test
    func `a segment knows its ends, its steps and the steps before it`() {
        let grid = SegmentGrid(kind: .rectified, segmentCount: 4, stepsPerSegment: 8, shift: 3)
        #expect((0..<4).map(grid.start(of:)) == [1, 0.9, 0.75, 0.5])
        #expect((0..<4).map(grid.end(of:)) == [0.9, 0.75, 0.5, 0])
        #expect((0..<4).map(grid.width(of:)) == [-0.1, -0.15, -0.25, -0.5])
        #expect((0..<4).map(grid.steps(of:)) == [0..<8, 8..<16, 16..<24, 24..<32])
        #expect((0..<4).map(grid.steps(before:)) == [0..<0, 0..<8, 0..<16, 0..<24])
        #expect(grid.segmentCount == 4)
    }

    @Test(arguments: [1, 2, 8])
    func `a stock grid keeps the stock edges and cuts each segment evenly in unshifted time`(steps: Int) {
        let grid = SegmentGrid(kind: .stock, segmentCount: 4, stepsPerSegment: steps, shift: 3)
        #expect(grid.edges == .stock(stepCount: 4, shift: 3))
        #expect(grid.teacher.stepCount == 4 * steps)
        #expect(grid.edgeIndices.map { grid.teacher.sigmas[$0] } == grid.edges.sigmas)
        let shift = TimeShift(factor: 3)
        for segment in 0..<4 {
            let widths = grid.steps(of: segment).map { index in
                shift.time(ofSigma: grid.teacher.sigmas[index])
                    - shift.time(ofSigma: grid.teacher.sigmas[index + 1])
            }
            let mean = widths.reduce(0, +) / Double(steps)
            #expect(widths.allSatisfy { abs($0 - mean) < 1e-14 }, "\(widths)")
        }
    }

    @Test
    func `one segment of one step is the whole way`() {
        for kind in ScheduleKind.allCases {
            let grid = SegmentGrid(kind: kind, segmentCount: 1, stepsPerSegment: 1, shift: 3)
            #expect(grid.teacher.sigmas == [1, 0])
            #expect(grid.width(of: 0) == -1)
        }
    }
}
