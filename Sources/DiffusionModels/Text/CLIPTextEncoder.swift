import NeuralNetwork
package import Tensors

/// A CLIP text encoder with projection (Radford and others 2021; transformers' `CLIPTextModelWithProjection`).
package struct CLIPTextEncoder: Sendable {
    package let configuration: CLIPTextConfiguration
    private let tokenTable: Parameter
    private let positionTable: Parameter
    private let layers: [CLIPTextLayer]
    private let finalNorm: (weight: Parameter, bias: Parameter)
    private let projection: Linear

    package init(_ configuration: CLIPTextConfiguration, from source: some ParameterSource) throws(ModelError)
    {
        self.configuration = configuration
        let width = configuration.width
        let name = "text_model."
        tokenTable = try source.parameter(
            name + "embeddings.token_embedding.weight",
            shape: [configuration.vocabularySize, width]
        )
        positionTable = try source.parameter(
            name + "embeddings.position_embedding.weight",
            shape: [configuration.positionCount, width]
        )
        var layers: [CLIPTextLayer] = []
        for index in 0..<configuration.layerCount {
            layers.append(
                try CLIPTextLayer(name + "encoder.layers.\(index).", configuration, from: source)
            )
        }
        self.layers = layers
        finalNorm = (
            try source.parameter(name + "final_layer_norm.weight", shape: [width]),
            try source.parameter(name + "final_layer_norm.bias", shape: [width])
        )
        projection = try source.linear(
            "text_projection",
            inputs: width,
            outputs: configuration.projectionWidth,
            bias: false
        )
    }

    /// What SD3 reads of an encoder.
    package struct Output {
        /// Tokens before the last layer, `[prompts, tokens, width]`.
        package let penultimate: Variable
        /// The end token after the last layer and the final norm, projected: `[prompts, projection width]`.
        package let embeddings: Variable
    }

    /// - Parameter tokens: rows of equal length, at most `positionCount`, ids in `0 ..< vocabularySize`.
    package func callAsFunction(_ tokens: [[Int]], on tape: Tape) -> Output {
        let length = tokens.first?.count ?? 0
        precondition(
            length <= configuration.positionCount && tokens.allSatisfy { $0.count == length },
            "prompts of equal length of at most \(configuration.positionCount) tokens"
        )
        let embedded = tape.gather(tape.parameter(tokenTable), tokens.flatMap(\.self))
        let positions = tape.gather(
            tape.parameter(positionTable),
            tokens.flatMap { _ in Array(0..<length) }
        )
        var x = tape.reshape(tape.add(embedded, positions), [tokens.count, length, configuration.width])
        var penultimate = x
        for layer in layers {
            penultimate = x
            x = layer(x, on: tape)
        }
        let normalized = tape.layerNorm(
            x,
            weight: finalNorm.weight,
            bias: finalNorm.bias,
            epsilon: configuration.normEpsilon
        )
        let flat = tape.reshape(normalized, [tokens.count * length, configuration.width])
        let ends = tokens.enumerated().map { $0 * length + endPosition(of: $1) }
        return Output(penultimate: penultimate, embeddings: projection(tape.gather(flat, ends), on: tape))
    }

    private func endPosition(of tokens: [Int]) -> Int {
        if configuration.poolsAtLargestToken {
            let largest = tokens.max() ?? 0
            return tokens.firstIndex(of: largest) ?? 0
        }
        return tokens.firstIndex(of: configuration.endToken) ?? 0
    }
}

/// One layer: causal attention, then a feed-forward, each behind a norm and added to its input.
private struct CLIPTextLayer: Sendable {
    private let configuration: CLIPTextConfiguration
    private let norms: [(weight: Parameter, bias: Parameter)]
    private let query: Linear
    private let key: Linear
    private let value: Linear
    private let output: Linear
    private let expand: Linear
    private let contract: Linear

    init(
        _ prefix: String,
        _ configuration: CLIPTextConfiguration,
        from source: some ParameterSource
    ) throws(ModelError) {
        self.configuration = configuration
        let (width, inner) = (configuration.width, configuration.innerWidth)
        var norms: [(weight: Parameter, bias: Parameter)] = []
        for name in ["layer_norm1", "layer_norm2"] {
            norms.append(
                (
                    try source.parameter(prefix + name + ".weight", shape: [width]),
                    try source.parameter(prefix + name + ".bias", shape: [width])
                )
            )
        }
        self.norms = norms
        query = try source.linear(prefix + "self_attn.q_proj", inputs: width, outputs: width)
        key = try source.linear(prefix + "self_attn.k_proj", inputs: width, outputs: width)
        value = try source.linear(prefix + "self_attn.v_proj", inputs: width, outputs: width)
        output = try source.linear(prefix + "self_attn.out_proj", inputs: width, outputs: width)
        expand = try source.linear(prefix + "mlp.fc1", inputs: width, outputs: inner)
        contract = try source.linear(prefix + "mlp.fc2", inputs: inner, outputs: width)
    }

    func callAsFunction(_ x: Variable, on tape: Tape) -> Variable {
        let n = norm(0, x, on: tape)
        let attended = tape.attention(
            queries: [query(n, on: tape)],
            keys: [key(n, on: tape)],
            values: [value(n, on: tape)],
            heads: configuration.headCount,
            isCausal: true
        )
        let y = tape.add(x, output(attended[0], on: tape))
        let inner = tape.activation(configuration.activation, expand(norm(1, y, on: tape), on: tape))
        return tape.add(y, contract(inner, on: tape))
    }

    private func norm(_ index: Int, _ x: Variable, on tape: Tape) -> Variable {
        tape.layerNorm(
            x,
            weight: norms[index].weight,
            bias: norms[index].bias,
            epsilon: configuration.normEpsilon
        )
    }
}
