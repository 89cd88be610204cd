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

extension Tensor {
    /// Clean latents moved to a noise level of its own for every sample.
    ///
    /// - Parameters:
    ///   - noise: standard normal numbers of the shape of `self`, `[samples, …]`.
    ///   - sigmas: noise levels, in `0 ... 1`, one a sample.
    package func noised(with noise: Tensor, at sigmas: [Float]) -> Tensor {
        .step(from: self, by: sigmas, along: noise.subtracting(self))
    }
}
