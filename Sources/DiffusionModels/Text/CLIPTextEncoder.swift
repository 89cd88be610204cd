package import Checkpoints
package import Tensors

/// A CLIP text encoder with projection (Radford and others 2021; transformers' `CLIPTextModelWithProjection`).
package struct CLIPTextEncoder: Sendable {
    package let configuration: CLIPTextConfiguration
    private let weights: StoredWeights
    private let layers: LayerStack<CLIPTextLayer>

    /// - Parameter source: its tensors are checked here; a large network is read layer by layer when it runs.
    package init(_ configuration: CLIPTextConfiguration, from source: any TensorSource) throws {
        self.configuration = configuration
        let weights = StoredWeights(source)
        self.weights = weights
        let check = ShapeCheck(weights: weights)
        _ = try CLIPTextEmbedding(configuration, from: check)
        _ = try CLIPTextHead(configuration, from: check)
        for index in 0..<configuration.layerCount {
            _ = try CLIPTextLayer(index, configuration, from: check)
        }
        layers = try LayerStack(
            count: configuration.layerCount,
            isHeld: try weights.elementCount <= LayerStack<CLIPTextLayer>.mostHeldElements
        ) { index throws(ModelError) in
            try CLIPTextLayer(index, configuration, from: weights)
        } letGo: { index in
            weights.letGo(namesBeginningWith: CLIPTextLayer.prefix(index))
        }
    }

    /// What SD3 reads of an encoder, in memory of its own.
    package struct Output: Sendable {
        /// Tokens before the last layer, `[prompts, tokens, width]`.
        package let penultimate: Tensor
        /// The end token after the last layer and the final norm, projected: `[prompts, projection width]`.
        package let embeddings: Tensor
    }

    /// - Parameter tokens: rows of equal length, at most `positionCount`, ids in `0 ..< vocabularySize`.
    package func callAsFunction(_ tokens: [[Int]], on tape: Tape) throws(ModelError) -> Output {
        let length = tokens.first?.count ?? 0
        precondition(
            length <= configuration.positionCount && tokens.allSatisfy { $0.count == length },
            "prompts of equal length of at most \(configuration.positionCount) tokens"
        )
        let x = try embed(tokens, length: length, on: tape)
        var penultimate = x
        try layers.forEach { index, layer in
            if index == layers.count - 1 { penultimate = x.copied() }
            tape.scratch { x.copy(from: layer(Variable(constant: x), on: tape).value) }
        }
        return Output(penultimate: penultimate, embeddings: try project(x, tokens, on: tape))
    }

    /// Tokens and their places, `[prompts, tokens, width]`; of a large table only the tokens' rows are read.
    private func embed(_ tokens: [[Int]], length: Int, on tape: Tape) throws(ModelError) -> Tensor {
        let width = configuration.width
        let x = try weights.rows(
            tokens.flatMap(\.self),
            of: CLIPTextEmbedding.tokensName,
            shape: [configuration.vocabularySize, width]
        )
        let places = try weights.parameter(
            CLIPTextEmbedding.placesName,
            shape: [configuration.positionCount, width]
        )
        tape.scratch {
            let positions = tape.gather(
                tape.parameter(places),
                tokens.flatMap { _ in Array(0..<length) }
            )
            x.copy(from: tape.add(Variable(constant: x), positions).value)
        }
        return x.reshaped([tokens.count, length, width])
    }

    /// The end tokens of the last layer's output, normalized and projected, `[prompts, projection width]`.
    private func project(_ x: Tensor, _ tokens: [[Int]], on tape: Tape) throws(ModelError) -> Tensor {
        let head = try CLIPTextHead(configuration, from: weights)
        let embeddings = Tensor.zeros([tokens.count, configuration.projectionWidth])
        tape.scratch {
            embeddings.copy(from: head(Variable(constant: x), tokens: tokens, on: tape).value)
        }
        return embeddings
    }
}
