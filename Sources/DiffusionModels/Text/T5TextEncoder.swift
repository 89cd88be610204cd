package import Checkpoints
import NeuralNetwork
package import Tensors

/// A T5 encoder (Raffel and others 2020; transformers' `T5EncoderModel`).
package struct T5TextEncoder: Sendable {
    package let configuration: T5TextConfiguration
    private let weights: StoredWeights
    private let tableName: String
    private let layers: LayerStack<T5TextLayer>
    private static let biasName = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"

    /// - Parameter source: its tensors are checked here and read layer by layer when the network runs.
    package init(_ configuration: T5TextConfiguration, from source: any TensorSource) throws {
        self.configuration = configuration
        let weights = StoredWeights(source)
        self.weights = weights
        // The table has two names, of which a file may hold either.
        let names = ["shared.weight", "encoder.embed_tokens.weight"]
        tableName = names.first(where: weights.contains) ?? names[0]
        let (heads, width) = (configuration.headCount, configuration.width)
        try weights.check(tableName, shape: [configuration.vocabularySize, width])
        try weights.check(Self.biasName, shape: [configuration.bucketCount, heads])
        try weights.check("encoder.final_layer_norm.weight", shape: [width])
        for index in 0..<configuration.layerCount {
            _ = try T5TextLayer(index, configuration, from: ShapeCheck(weights: weights))
        }
        layers = try LayerStack(
            count: configuration.layerCount,
            isHeld: try weights.elementCount <= LayerStack<T5TextLayer>.mostHeldElements
        ) { index throws(ModelError) in
            try T5TextLayer(index, configuration, from: weights)
        } letGo: { index in
            weights.letGo(namesBeginningWith: T5TextLayer.prefix(index))
        }
    }

    /// The states after the last layer and the final norm.
    ///
    /// Every token attends to every other, padding too: Stable Diffusion 3 masks nothing.
    /// - Parameter tokens: rows of equal length, ids in `0 ..< vocabularySize`.
    /// - Returns: `[prompts, tokens, width]`, in memory of its own.
    package func callAsFunction(_ tokens: [[Int]], on tape: Tape) throws(ModelError) -> Tensor {
        let length = tokens.first?.count ?? 0
        precondition(tokens.allSatisfy { $0.count == length }, "prompts of equal length")
        let x = try weights.rows(
            tokens.flatMap(\.self),
            of: tableName,
            shape: [configuration.vocabularySize, configuration.width]
        ).reshaped([tokens.count, length, configuration.width])
        let bias = try positionBias(length: length)
        try layers.forEach { _, layer in
            tape.scratch { x.copy(from: layer(Variable(constant: x), bias: bias, on: tape).value) }
        }
        let norm = try weights.parameter("encoder.final_layer_norm.weight", shape: [configuration.width])
        tape.scratch {
            let normalized = tape.rmsNorm(
                Variable(constant: x),
                weight: norm,
                epsilon: configuration.normEpsilon
            )
            x.copy(from: normalized.value)
        }
        return x
    }

    /// What a key's distance from a query adds to its score, `[heads, 2 · length − 1]`; all layers share it.
    private func positionBias(length: Int) throws(ModelError) -> Tensor {
        let heads = configuration.headCount
        let table = try weights.parameter(Self.biasName, shape: [configuration.bucketCount, heads])
        let buckets = (0..<max(0, 2 * length - 1)).map {
            configuration.bucket(ofDistance: $0 - (length - 1))
        }
        let values = table.value.values
        return Tensor(
            (0..<heads).flatMap { head in buckets.map { values[$0 * heads + head] } },
            shape: [heads, buckets.count]
        )
    }
}

/// One layer: attention, then a feed-forward, each behind a norm and added to its input; nothing has a bias.
private struct T5TextLayer: Sendable {
    private let configuration: T5TextConfiguration
    private let norms: [Parameter]
    private let query: Linear
    private let key: Linear
    private let value: Linear
    private let output: Linear
    private let expand: Linear
    /// The other factor of a gated feed-forward.
    private let gate: Linear?
    private let contract: Linear

    /// What the names of a layer's weights begin with.
    static func prefix(_ index: Int) -> String { "encoder.block.\(index).layer." }

    init(
        _ index: Int,
        _ configuration: T5TextConfiguration,
        from source: some ParameterSource
    ) throws(ModelError) {
        self.configuration = configuration
        let (width, inner) = (configuration.width, configuration.innerWidth)
        let heads = configuration.headCount * configuration.headWidth
        let prefix = Self.prefix(index)
        func map(_ name: String, _ inputs: Int, _ outputs: Int) throws(ModelError) -> Linear {
            try source.linear(prefix + name, inputs: inputs, outputs: outputs, bias: false)
        }
        norms = [
            try source.parameter(prefix + "0.layer_norm.weight", shape: [width]),
            try source.parameter(prefix + "1.layer_norm.weight", shape: [width]),
        ]
        query = try map("0.SelfAttention.q", width, heads)
        key = try map("0.SelfAttention.k", width, heads)
        value = try map("0.SelfAttention.v", width, heads)
        output = try map("0.SelfAttention.o", heads, width)
        expand = try map("1.DenseReluDense." + (configuration.isGated ? "wi_0" : "wi"), width, inner)
        gate = configuration.isGated ? try map("1.DenseReluDense.wi_1", width, inner) : nil
        contract = try map("1.DenseReluDense.wo", inner, width)
    }

    func callAsFunction(_ x: Variable, bias: Tensor, on tape: Tape) -> Variable {
        let n = norm(0, x, on: tape)
        // Scores are not scaled: T5 was started with smaller queries instead.
        let attended = tape.attention(
            queries: [query(n, on: tape)],
            keys: [key(n, on: tape)],
            values: [value(n, on: tape)],
            heads: configuration.headCount,
            scale: 1,
            positionBias: bias
        )
        let y = tape.add(x, output(attended[0], on: tape))
        let m = norm(1, y, on: tape)
        var inner = tape.activation(configuration.activation, expand(m, on: tape), consuming: true)
        if let gate { inner = tape.elementProduct(inner, gate(m, on: tape), consuming: true) }
        return tape.add(y, contract(inner, on: tape))
    }

    private func norm(_ index: Int, _ x: Variable, on tape: Tape) -> Variable {
        tape.rmsNorm(x, weight: norms[index], epsilon: configuration.normEpsilon)
    }
}
