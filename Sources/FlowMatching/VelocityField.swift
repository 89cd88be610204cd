package import Tensors

/// A flow's velocity v = dz/dσ = ε − x₀ as a function of the latents and their noise level.
///
/// A field is a value that already carries its conditioning (prompts, guidance), one entry for each sample.
package protocol VelocityField {
    /// The velocity of a batch whose samples all stand at one noise level.
    ///
    /// - Parameters:
    ///   - latents: `[samples, channels, height, width]`; read, never written.
    ///   - sigma: the noise level, in `0 ... 1`.
    /// - Returns: the velocity, of the shape of `latents`.
    func velocity(of latents: Tensor, at sigma: Float) -> Tensor
}
