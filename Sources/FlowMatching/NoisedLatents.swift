package import Tensors

extension Tensor {
    /// Clean latents moved to a noise level on the straight path: (1 − σ)·self + σ·noise.
    ///
    /// - Parameters:
    ///   - noise: standard normal numbers of the shape of `self`.
    ///   - sigma: the noise level, in `0 ... 1`.
    package func noised(with noise: Tensor, at sigma: Float) -> Tensor {
        blended(weight: 1 - sigma, with: noise, weight: sigma)
    }
}
