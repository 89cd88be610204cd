package import DiffusionModels
package import Tensors

/// Random inputs of a shape's whole batch, and what its outputs are compared with.
package struct BenchmarkInputs: Sendable {
    /// Latents `[samples, channels, height, width]`; for a block, picture tokens `[samples, tokens, width]`.
    package let picture: Tensor
    /// Encoded prompts; for a block, text tokens and, in place of the pooled text, the modulating vector.
    package let text: EncodedText
    /// Noise levels, one a sample.
    package let sigmas: [Float]
    /// One for each output, of its shape; zeros for a block, whose loss is the mean square.
    package let targets: [Tensor]

    /// - Parameters:
    ///   - shape: what the inputs are for.
    ///   - seed: of the random numbers.
    package init(_ shape: BenchmarkShape, seed: UInt64 = 1) {
        var stream = RandomStream(key: seed, stream: 0)
        let configuration = shape.configuration
        let samples = shape.batch
        switch shape.scope {
        case .network:
            picture = stream.normal([samples] + shape.latentShape)
            text = EncodedText(
                context: stream.normal([samples, shape.textTokens, configuration.jointAttentionWidth]),
                pooled: stream.normal([samples, configuration.pooledProjectionWidth])
            )
            let output = [configuration.outChannels] + shape.latentShape.dropFirst()
            targets = [stream.normal([samples] + output)]
        case .block:
            picture = stream.normal([samples, shape.pictureTokens, shape.width])
            text = EncodedText(
                context: stream.normal([samples, shape.textTokens, shape.width]),
                pooled: stream.normal([samples, shape.width])
            )
            targets = [.zeros(picture.shape), .zeros(text.context.shape)]
        }
        sigmas = stream.uniform([samples]).values
    }

    private init(picture: Tensor, text: EncodedText, sigmas: [Float], targets: [Tensor]) {
        self.picture = picture
        self.text = text
        self.sigmas = sigmas
        self.targets = targets
    }

    /// Samples of a range, as views.
    package func rows(_ range: Range<Int>) -> BenchmarkInputs {
        BenchmarkInputs(
            picture: picture.rows(range),
            text: text.rows(range),
            sigmas: Array(sigmas[range]),
            targets: targets.map { $0.rows(range) }
        )
    }
}
