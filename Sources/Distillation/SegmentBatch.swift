package import DiffusionModels
package import Tensors

/// Segments drawn for one update: B samples, each with a segment [b, a] of its own, a > b in σ.
package struct SegmentBatch: Sendable {
    /// z_a, `[B, channels, height, width]`.
    package let starts: Tensor
    /// z_b.
    package let ends: Tensor
    /// a, one a sample.
    package let startSigmas: [Float]
    /// b.
    package let endSigmas: [Float]
    package let text: EncodedText
    /// What the samples' trajectories start from; nil where the batch's owner does not have it.
    package let noise: Tensor?

    package init(
        starts: Tensor,
        ends: Tensor,
        startSigmas: [Float],
        endSigmas: [Float],
        text: EncodedText,
        noise: Tensor? = nil
    ) {
        precondition(
            starts.shape == ends.shape && startSigmas.count == starts.shape[0]
                && endSigmas.count == starts.shape[0] && text.count == starts.shape[0],
            "\(startSigmas.count) segments of \(text.count) texts with states of \(starts.shape)"
        )
        self.starts = starts
        self.ends = ends
        self.startSigmas = startSigmas
        self.endSigmas = endSigmas
        self.text = text
        self.noise = noise
    }

    package var count: Int { startSigmas.count }

    /// Samples of a range, as views.
    package func rows(_ range: Range<Int>) -> SegmentBatch {
        SegmentBatch(
            starts: starts.rows(range),
            ends: ends.rows(range),
            startSigmas: Array(startSigmas[range]),
            endSigmas: Array(endSigmas[range]),
            text: text.rows(range),
            noise: noise?.rows(range)
        )
    }
}
