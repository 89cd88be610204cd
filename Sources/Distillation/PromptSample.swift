package import Tensors

/// One sample of one prompt: everything random about its trajectory follows from it and the run's seed.
package struct PromptSample: Sendable, Hashable {
    /// Position in the run's prompt sequence, below 2⁴⁴.
    package let promptID: UInt64
    /// Which of the prompt's samples, below 2¹⁶.
    package let sample: UInt32
    package let text: String

    package init(promptID: UInt64, sample: UInt32, text: String) {
        self.promptID = promptID
        self.sample = sample
        self.text = text
    }

    /// What a stream of random numbers is drawn for.
    private enum Purpose: UInt64 {
        case noise = 0
        case guidance = 1
        case offTrajectoryNoise = 2
    }

    private func stream(_ purpose: Purpose, seed: UInt64) -> RandomStream {
        RandomStream(key: seed, stream: promptID << 20 | UInt64(sample) << 4 | purpose.rawValue)
    }

    /// The latents the trajectory starts from, N(0, 1).
    package func noise(_ shape: [Int], seed: UInt64) -> Tensor {
        var stream = stream(.noise, seed: seed)
        return stream.normal(shape)
    }

    /// Noise that is mixed with clean latents where segments do not start on the trajectory.
    package func offTrajectoryNoise(_ shape: [Int], seed: UInt64) -> Tensor {
        var stream = stream(.offTrajectoryNoise, seed: seed)
        return stream.normal(shape)
    }

    /// The guidance scale held along the trajectory, uniform in `range`.
    package func guidance(in range: ClosedRange<Float>, seed: UInt64) -> Float {
        var stream = stream(.guidance, seed: seed)
        return range.lowerBound + (range.upperBound - range.lowerBound) * stream.nextUniform()
    }
}
