import FlowMatching
package import Tensors

/// Pictures and noise mixed at a noise level each, and what a velocity model is to say of the mixtures.
///
/// Flow matching on straight paths (Lipman and others 2023; Liu and others 2023), the loss that Stable Diffusion 3 is
/// trained with (Esser and others 2024, equation 2, unweighted):
///
///     z = (1 − u) x + u ε,   L = E ‖v(z, u, c) − (ε − x)‖² / elements of x
package struct FlowMatchingBatch: Sendable {
    /// z, `[samples, channels, height, width]`.
    package let states: Tensor
    /// ε − x, of the same shape.
    package let targets: Tensor
    /// u, one a sample.
    package let sigmas: [Float]

    /// - Parameters:
    ///   - pictures: x, clean latents `[samples, channels, height, width]`.
    ///   - noise: ε, of the same shape.
    ///   - sigmas: u, in `0 ... 1`, one a sample.
    package init(_ pictures: Tensor, noise: Tensor, sigmas: [Float]) {
        states = pictures.noised(with: noise, at: sigmas)
        targets = noise.subtracting(pictures)
        self.sigmas = sigmas
    }

    private init(states: Tensor, targets: Tensor, sigmas: [Float]) {
        self.states = states
        self.targets = targets
        self.sigmas = sigmas
    }

    package var count: Int { sigmas.count }

    /// A run of samples, as views.
    package func rows(_ range: Range<Int>) -> FlowMatchingBatch {
        FlowMatchingBatch(
            states: states.rows(range),
            targets: targets.rows(range),
            sigmas: Array(sigmas[range])
        )
    }

    /// These samples' part of L over a batch.
    ///
    /// - Parameters:
    ///   - velocities: v, of the shape of ``states``.
    ///   - batchCount: samples of the whole batch, over which the loss is a mean.
    package func loss(of velocities: Variable, batchCount: Int, on tape: Tape) -> Variable {
        let elements = targets.count / count * batchCount
        return tape.squaredError(velocities, target: targets, scale: 1 / Float(elements))
    }
}
