package import Tensors

/// Starts and ends of segments, solved by the teacher, for a batch of samples.
package struct TrajectoryBatch: Sendable {
    /// The segments present, ascending.
    package let segments: [Int]
    /// States, first axis time, `[times, samples, channels, height, width]`.
    ///
    /// Chained: `segments.count + 1` times, each segment ending where the next one starts. Otherwise a start and
    /// an end for each segment in turn.
    package let states: Tensor
    package let isChained: Bool

    package init(segments: [Int], states: Tensor, isChained: Bool) {
        precondition(
            states.shape.count == 5
                && states.shape[0] == (isChained ? segments.count + 1 : 2 * segments.count),
            "\(segments.count) segments in states of shape \(states.shape)"
        )
        self.segments = segments
        self.states = states
        self.isChained = isChained
    }

    package var sampleCount: Int { states.shape[1] }

    /// z_a of the segment at a place in ``segments``, `[channels, height, width]`.
    package func start(_ place: Int, sample: Int) -> Tensor {
        states.row(isChained ? place : 2 * place).row(sample)
    }

    /// z_b of the segment at a place in ``segments``.
    package func end(_ place: Int, sample: Int) -> Tensor {
        states.row(isChained ? place + 1 : 2 * place + 1).row(sample)
    }
}
