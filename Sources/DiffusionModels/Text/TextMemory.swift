import Tensors

/// What a process takes while it encodes prompts, in bytes, told from the text encoders' settings alone.
package struct TextMemory: Sendable, Equatable {
    /// Layers of the encoders that are held once they are opened, and tokenizers.
    package var heldByteCount = 0
    /// The largest layer that is made of its weights each time it runs; it goes when it has run.
    package var passingByteCount = 0
    /// What a layer makes of the prompts that it takes at once, in one lane's arena.
    package var activationByteCount = 0

    package init() {}

    /// Of encoders that run one after another over batches of prompts that bound their memory.
    ///
    /// - Parameters:
    ///   - layers: of each encoder, with the tokens that it reads of a prompt.
    ///   - prompts: encoded together.
    init(_ layers: [(layer: TextLayerSize, tokens: Int)], prompts: Int) {
        let batch = min(prompts, Self.promptsAtOnce(layers))
        for (layer, tokens) in layers {
            heldByteCount += layer.vocabularySize * Self.tokenByteCount
            let byteCount = layer.weights * ScalarType.float32.byteCount
            if layer.isHeld {
                heldByteCount += layer.count * byteCount
            } else {
                passingByteCount = max(passingByteCount, byteCount)
            }
            let floats = batch * tokens * layer.floatsPerToken
            activationByteCount = max(activationByteCount, floats * ScalarType.float32.byteCount)
        }
    }

    /// What a token of a vocabulary takes in its tokenizer, in bytes, as measured: 340 of CLIP's and 310 of T5's sizes.
    static let tokenByteCount = 330

    /// What a batch may take in a layer, in bytes.
    private static let batchByteCount = 1 << 29

    /// Prompts of a batch, at least one.
    static func promptsAtOnce(_ layers: [(layer: TextLayerSize, tokens: Int)]) -> Int {
        let floats = layers.map { $0.tokens * $0.layer.floatsPerToken }.max() ?? 0
        return max(1, batchByteCount / max(1, floats * ScalarType.float32.byteCount))
    }
}

/// One layer of a text encoder in numbers.
struct TextLayerSize {
    /// Layers of its encoder.
    var count: Int
    /// Numbers in its weights.
    var weights: Int
    /// Numbers in its encoder, tables of tokens and all.
    var encoderWeights: Int
    /// Tokens that its encoder knows.
    var vocabularySize: Int
    /// Numbers that it makes of a token.
    var floatsPerToken: Int

    /// Whether the encoder is small enough for its layers to be held.
    var isHeld: Bool { encoderWeights <= LayerStack<Never>.mostHeldElements }
}

extension CLIPTextConfiguration {
    var layerSize: TextLayerSize {
        let weights = 4 * width * width + 2 * width * innerWidth + 9 * width + innerWidth
        return TextLayerSize(
            count: layerCount,
            weights: weights,
            encoderWeights: layerCount * weights
                + (vocabularySize + positionCount + projectionWidth + 2) * width,
            vocabularySize: vocabularySize,
            // Two norms, queries, keys, values, what they attend to, its map, two sums, a contraction; two expansions.
            floatsPerToken: 10 * width + 2 * innerWidth
        )
    }
}

extension T5TextConfiguration {
    var layerSize: TextLayerSize {
        let heads = headCount * headWidth
        let weights = 4 * width * heads + (isGated ? 3 : 2) * width * innerWidth + 2 * width
        return TextLayerSize(
            count: layerCount,
            weights: weights,
            encoderWeights: layerCount * weights + (vocabularySize + 1) * width + bucketCount * headCount,
            vocabularySize: vocabularySize,
            // Two norms, a map of what is attended to, two sums, a contraction; queries, keys, values, what they attend to.
            floatsPerToken: 6 * width + 4 * heads + (isGated ? 2 : 1) * innerWidth
        )
    }
}
