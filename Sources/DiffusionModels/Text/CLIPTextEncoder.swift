package import Checkpoints
import NeuralNetwork
package import Tensors

/// A CLIP text encoder with projection (Radford and others 2021; transformers' `CLIPTextModelWithProjection`).
package struct CLIPTextEncoder: Sendable {
    package let configuration: CLIPTextConfiguration
    private let weights: StoredWeights
    private let layers: LayerStack<CLIPTextLayer>
    private static let tokenTable = "text_model.embeddings.token_embedding.weight"
    private static let positionTable = "text_model.embeddings.position_embedding.weight"
    private static let finalNorm = "text_model.final_layer_norm"
    private static let projection = "text_projection"

    /// - Parameter source: its tensors are checked here; a large network is read layer by layer when it runs.
    package init(_ configuration: CLIPTextConfiguration, from source: any TensorSource) throws {
        self.configuration = configuration
        let weights = StoredWeights(source)
        self.weights = weights
        let width = configuration.width
        try weights.check(Self.tokenTable, shape: [configuration.vocabularySize, width])
        try weights.check(Self.positionTable, shape: [configuration.positionCount, width])
        try weights.check(Self.finalNorm + ".weight", shape: [width])
        try weights.check(Self.finalNorm + ".bias", shape: [width])
        try weights.check(Self.projection + ".weight", shape: [configuration.projectionWidth, width])
        for index in 0..<configuration.layerCount {
            _ = try CLIPTextLayer(index, configuration, from: ShapeCheck(weights: weights))
        }
        layers = try LayerStack(
            count: configuration.layerCount,
            isHeld: try weights.elementCount <= LayerStack<CLIPTextLayer>.mostHeldElements
        ) { index throws(ModelError) in
            try CLIPTextLayer(index, configuration, from: weights)
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
        for index in 0..<layers.count {
            let layer = try layers.layer(index)
            if index == layers.count - 1 { penultimate = x.copied() }
            tape.scratch { x.copy(from: layer(Variable(constant: x), on: tape).value) }
        }
        let ends = tokens.enumerated().map { $0 * length + endPosition(of: $1) }
        return Output(penultimate: penultimate, embeddings: try project(x, ends, on: tape))
    }

    /// Tokens and their places, `[prompts, tokens, width]`.
    private func embed(_ tokens: [[Int]], length: Int, on tape: Tape) throws(ModelError) -> Tensor {
        let width = configuration.width
        let table = try weights.parameter(Self.tokenTable, shape: [configuration.vocabularySize, width])
        let places = try weights.parameter(Self.positionTable, shape: [configuration.positionCount, width])
        let x = Tensor.zeros([tokens.count, length, width])
        tape.scratch {
            let embedded = tape.gather(tape.parameter(table), tokens.flatMap(\.self))
            let positions = tape.gather(tape.parameter(places), tokens.flatMap { _ in Array(0..<length) })
            x.copy(from: tape.add(embedded, positions).value)
        }
        return x
    }

    /// Some rows of the last layer's output, normalized and projected, `[rows, projection width]`.
    private func project(_ x: Tensor, _ rows: [Int], on tape: Tape) throws(ModelError) -> Tensor {
        let width = configuration.width
        let weight = try weights.parameter(Self.finalNorm + ".weight", shape: [width])
        let bias = try weights.parameter(Self.finalNorm + ".bias", shape: [width])
        let projection = try weights.linear(
            Self.projection,
            inputs: width,
            outputs: configuration.projectionWidth,
            bias: false
        )
        let embeddings = Tensor.zeros([rows.count, configuration.projectionWidth])
        tape.scratch {
            let flat = Variable(constant: x.reshaped([x.count / width, width]))
            let ends = tape.layerNorm(
                tape.gather(flat, rows),
                weight: weight,
                bias: bias,
                epsilon: configuration.normEpsilon
            )
            embeddings.copy(from: projection(ends, on: tape).value)
        }
        return embeddings
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
        _ index: Int,
        _ configuration: CLIPTextConfiguration,
        from source: some ParameterSource
    ) throws(ModelError) {
        self.configuration = configuration
        let prefix = "text_model.encoder.layers.\(index)."
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
