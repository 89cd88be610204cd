import Tensors

/// Latents moved up to a higher noise level with fresh noise: ((1 − σ) x + (σ − e) ε) / (1 − e), which for clean
/// latents, e = 0, is (1 − σ) x + σ ε (PCM's discriminator; LADD §3).
struct Renoising {
    /// σ, one a sample.
    let sigmas: [Float]
    private let factors: [Float]
    private let noise: Tensor

    /// - Parameters:
    ///   - levels: e, below 1, one a sample.
    ///   - noise: standard normal numbers.
    init(from levels: [Float], to sigmas: [Float], noise: Tensor) {
        self.sigmas = sigmas
        let pairs = zip(levels, sigmas)
        factors = pairs.map { (1 - $1) / (1 - $0) }
        self.noise = .step(from: .zeros(noise.shape), by: pairs.map { ($1 - $0) / (1 - $0) }, along: noise)
    }

    /// Clean latents.
    init(to sigmas: [Float], noise: Tensor) {
        self.init(from: [Float](repeating: 0, count: sigmas.count), to: sigmas, noise: noise)
    }

    func callAsFunction(_ latents: Variable, on tape: Tape) -> Variable {
        tape.step(from: noise, by: factors, along: latents)
    }

    func callAsFunction(_ latents: Tensor) -> Tensor { .step(from: noise, by: factors, along: latents) }
}
