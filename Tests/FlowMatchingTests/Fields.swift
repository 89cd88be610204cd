import FlowMatching
import Synchronization
import Tensors

/// The exact flow from standard normal noise to data distributed as N(mean, deviation²).
struct GaussianField: VelocityField {
    let mean: Float
    let deviation: Float

    func velocity(of latents: Tensor, at sigma: Float) -> Tensor {
        let variance = deviation * deviation
        let spread = (1 - sigma) * (1 - sigma) * variance + sigma * sigma
        let slope = (sigma - (1 - sigma) * variance) / spread
        let values = latents.values.map { -mean + slope * ($0 - (1 - sigma) * mean) }
        return Tensor(values, shape: latents.shape)
    }

    /// Where `noise` has come to at `sigma`: the closed form of the flow.
    func solution(from noise: Tensor, at sigma: Float) -> Tensor {
        let variance = deviation * deviation
        let spread = ((1 - sigma) * (1 - sigma) * variance + sigma * sigma).squareRoot()
        return Tensor(noise.values.map { (1 - sigma) * mean + spread * $0 }, shape: noise.shape)
    }
}

/// A field without a closed form, so that no agreement is a coincidence of linearity.
struct CurvedField: VelocityField {
    func velocity(of latents: Tensor, at sigma: Float) -> Tensor {
        Tensor(latents.values.map { $0 / (1 + $0 * $0) - sigma * sigma }, shape: latents.shape)
    }
}

/// A student that knows by heart the teacher's mean velocity over each segment.
struct RememberedField: VelocityField {
    let targets: [Float: Tensor]

    func velocity(of latents: Tensor, at sigma: Float) -> Tensor {
        targets[sigma] ?? Tensor(repeating: .nan, shape: latents.shape)
    }
}

/// A network that answers the sample's entry of its conditioning, and counts the samples it was asked about.
struct GuidedConstantField: VelocityField {
    let conditional: Tensor
    let unconditional: Tensor
    let guidance: Guidance
    let evaluations: Evaluations

    final class Evaluations: Sendable {
        private let total = Mutex(0)
        var count: Int { total.withLock { $0 } }
        func add(_ samples: Int) { total.withLock { $0 += samples } }
    }

    func velocity(of latents: Tensor, at sigma: Float) -> Tensor {
        let batch = guidance.batch(latents)
        evaluations.add(batch.shape[0])
        return guidance.combine(
            batch.shape[0] == latents.shape[0] ? conditional : .concatenated([unconditional, conditional])
        )
    }
}

/// Standard normal latents `[2, 3, 4, 4]`.
func noise(seed: UInt64) -> Tensor {
    var stream = RandomStream(key: seed, stream: 0)
    return stream.normal([2, 3, 4, 4])
}
