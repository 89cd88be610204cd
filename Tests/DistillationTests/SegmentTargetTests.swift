import DiffusionModels
import Distillation
import FlowMatching
import Tensors
import TestSupport
import Testing

@Suite struct SegmentTargetTests {
    private func makeBatch(_ starts: Tensor, _ ends: Tensor, from a: [Float], to b: [Float]) -> SegmentBatch {
        let count = starts.shape[0]
        let text = EncodedText(context: .zeros([count, 1, 1]), pooled: .zeros([count, 1]))
        return SegmentBatch(starts: starts, ends: ends, startSigmas: a, endSigmas: b, text: text)
    }

    @Test func `the line passes through both ends of the segment`() {
        let starts = randomTensor([2, 1, 2, 2], seed: 1)
        let ends = randomTensor([2, 1, 2, 2], seed: 2)
        let target = SegmentTarget(makeBatch(starts, ends, from: [1, 0.75], to: [0.9, 0.5]))
        #expect(relativeError(target.states(at: [1, 0.75]), starts) < 1e-6)
        #expect(relativeError(target.states(at: [0.9, 0.5]), ends) < 1e-5)
        let middle = starts.scaled(by: 0.5).adding(ends, scaledBy: 0.5)
        #expect(relativeError(target.states(at: [0.95, 0.625]), middle) < 1e-5)
    }

    @Test func `places in a segment run from its end to its start`() {
        let zeros = Tensor.zeros([2, 1, 1, 1])
        let target = SegmentTarget(makeBatch(zeros, zeros, from: [1, 0.5], to: [0.9, 0]))
        #expect(target.sigmas(at: [1, 1]) == [1, 0.5])
        #expect(target.sigmas(at: [0.5, 0.5]).map { ($0 * 1000).rounded() } == [950, 250])
    }

    @Test func `steps of the segments' widths along their velocities lead from noise to the end`() throws {
        let fixture = try DistillationFixture()
        let batch = try fixture.rollOut()
        let grid = fixture.alignment.grid
        var z = batch.states.row(0)
        for segment in 0..<4 {
            let target = SegmentTarget(
                SegmentBatch(
                    starts: batch.states.row(segment),
                    ends: batch.states.row(segment + 1),
                    startSigmas: [Float](repeating: grid.start(of: segment), count: 3),
                    endSigmas: [Float](repeating: grid.end(of: segment), count: 3),
                    text: fixture.text
                )
            )
            z = z.adding(target.velocity, scaledBy: grid.width(of: segment))
        }
        #expect(relativeError(z, batch.states.row(4)) < 1e-6)
    }
}
