package import Tensors

/// The straight line that a student learns inside each segment (PeRFlow; FlowSteer §3.1).
///
/// v* = (z_b − z_a) / (b − a), and z_t = z_a + (t − a) v* for t in the segment.
package struct SegmentTarget: Sendable {
    /// v*, `[B, channels, height, width]`.
    package let velocity: Tensor
    private let batch: SegmentBatch

    package init(_ batch: SegmentBatch) {
        self.batch = batch
        let differences = batch.ends.subtracting(batch.starts)
        let inverseWidths = zip(batch.startSigmas, batch.endSigmas).map { 1 / ($1 - $0) }
        velocity = .step(from: .zeros(differences.shape), by: inverseWidths, along: differences)
    }

    /// z_t at one noise level a sample.
    package func states(at sigmas: [Float]) -> Tensor {
        .step(from: batch.starts, by: zip(sigmas, batch.startSigmas).map { $0 - $1 }, along: velocity)
    }

    /// Noise levels t = b + (a − b) u, for u in (0, 1] one a sample.
    package func sigmas(at places: [Float]) -> [Float] {
        zip(places, zip(batch.startSigmas, batch.endSigmas)).map { $1.1 + ($1.0 - $1.1) * $0 }
    }
}
