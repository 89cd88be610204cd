package import Tensors

/// Classifier-free guidance of a batch: v = v_u + w · (v_c − v_u), one scale w a sample.
///
/// The scale is in diffusers' convention: w = 1 is the conditional velocity alone, and costs no unconditional
/// evaluation. Source: Ho & Salimans 2022, whose own w is this one less 1.
package struct Guidance: Sendable, Hashable {
    /// One scale a sample, constant along that sample's whole trajectory.
    package let scales: [Float]

    package init(scales: [Float]) { self.scales = scales }

    /// The same scale for all of `sampleCount` samples.
    package init(scale: Float, sampleCount: Int) {
        scales = [Float](repeating: scale, count: sampleCount)
    }

    /// True when some sample needs the unconditional velocity.
    package var needsUnconditional: Bool { scales.contains { $0 != 1 } }

    /// Network evaluations a sample and solver step: 2, or 1 when every scale is 1.
    package var evaluationsPerStep: Int { needsUnconditional ? 2 : 1 }

    /// Latents as the network needs them: the batch, or two copies of it, unconditional half first.
    package func batch(_ latents: Tensor) -> Tensor {
        needsUnconditional ? .concatenated([latents, latents]) : latents
    }

    /// The guided velocity of a network's answer to ``batch(_:)``.
    ///
    /// - Parameter velocity: `[2 · samples, …]`, unconditional half first; `[samples, …]`, the conditional
    ///   velocity, when every scale is 1.
    /// - Returns: `[samples, …]`.
    package func combine(_ velocity: Tensor) -> Tensor {
        let samples = scales.count
        precondition(
            velocity.shape.first == samples * evaluationsPerStep,
            "\(samples) samples of \(evaluationsPerStep) evaluations, got velocity \(velocity.shape)"
        )
        guard needsUnconditional else { return velocity }
        return .guided(
            conditional: velocity.rows(samples..<2 * samples),
            unconditional: velocity.rows(0..<samples),
            scales: scales
        )
    }
}
