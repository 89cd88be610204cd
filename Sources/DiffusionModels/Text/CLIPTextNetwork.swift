import NeuralNetwork
package import Tensors

/// A CLIP text encoder that gradients flow back through, held in memory whole; ``CLIPTextEncoder`` is the frozen one.
package struct CLIPTextNetwork: Sendable {
    private let embedding: CLIPTextEmbedding
    private let layers: [CLIPTextLayer]
    private let head: CLIPTextHead

    package init(_ configuration: CLIPTextConfiguration, from source: some ParameterSource)
        throws(ModelError)
    {
        embedding = try CLIPTextEmbedding(configuration, from: source)
        var layers: [CLIPTextLayer] = []
        for index in 0..<configuration.layerCount {
            layers.append(try CLIPTextLayer(index, configuration, from: source))
        }
        self.layers = layers
        head = try CLIPTextHead(configuration, from: source)
    }

    /// What SD3 reads of an encoder.
    package struct Output {
        /// Tokens before the last layer, `[prompts, tokens, width]`.
        package let penultimate: Variable
        /// The end token after the last layer and the final norm, projected: `[prompts, projection width]`.
        package let embeddings: Variable
    }

    /// - Parameter tokens: rows of equal length within the encoder's positions, ids within its vocabulary.
    package func callAsFunction(_ tokens: [[Int]], on tape: Tape) -> Output {
        var x = embedding(tokens, on: tape)
        var penultimate = x
        for layer in layers {
            penultimate = x
            x = layer(x, on: tape)
        }
        return Output(penultimate: penultimate, embeddings: head(x, tokens: tokens, on: tape))
    }
}
