import FlowMatching
import Tensors

/// Distribution matching (Yin and others 2024, "One-step Diffusion with Distribution Matching Distillation", equations
/// 7 and 8): the student's pictures move from where a network of the student's own distribution would denoise them to
/// where the teacher would.
struct DistributionMatching {
    let teaching: Teaching

    /// Noise levels that pictures are compared at, for uniform numbers: the ends, where scores say little, are left out.
    static func sigmas(_ uniforms: [Float]) -> [Float] { uniforms.map { 0.02 + 0.96 * $0 } }

    /// ½ mean (x − stopgrad(x − g))², whose gradient is g / elements.
    ///
    /// - Parameters:
    ///   - pictures: x, clean latents of the student's.
    ///   - scales: of the teacher's guidance.
    ///   - fake: the velocity of the student's distribution, `(part, states, sigmas)`.
    func loss(
        _ part: inout ObjectivePart,
        _ pictures: Variable,
        sigmas: [Float],
        noise: Tensor,
        scales: [Float],
        fake: (inout ObjectivePart, Tensor, [Float]) -> Tensor,
        on tape: Tape
    ) -> Variable {
        let states = pictures.value.noised(with: noise, at: sigmas)
        func clean(_ velocity: Tensor) -> Tensor {
            .step(from: states, by: sigmas.map { -$0 }, along: velocity)
        }
        let real = clean(part.guidedVelocity(of: teaching, at: states, sigmas, scales: scales))
        let gradient = Self.gradient(
            of: pictures.value,
            real: real,
            fake: clean(fake(&part, states, sigmas))
        )
        return tape.squaredError(
            pictures,
            target: pictures.value.subtracting(gradient),
            scale: part.meanScale(pictures.shape) / 2
        )
    }

    /// g = (fake − real) / mean |x − real|, the mean being over a sample.
    ///
    /// - Parameters:
    ///   - real: the teacher's estimate of the clean latents, `[samples, …]`.
    ///   - fake: that of the student's distribution.
    static func gradient(of pictures: Tensor, real: Tensor, fake: Tensor) -> Tensor {
        let distance = pictures.subtracting(real)
        let factors = (0..<pictures.shape[0]).map { sample in
            let row = distance.row(sample)
            return 1 / max(1e-6, row.values.reduce(0) { $0 + abs($1) } / Float(row.count))
        }
        return .step(from: .zeros(real.shape), by: factors, along: fake.subtracting(real))
    }
}
