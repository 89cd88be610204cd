import NeuralNetwork
import Tensors

/// One layer: causal attention, then a feed-forward, each behind a norm and added to its input.
struct CLIPTextLayer: Sendable {
    private let configuration: CLIPTextConfiguration
    private let norms: [(weight: Parameter, bias: Parameter)]
    private let query: Linear
    private let key: Linear
    private let value: Linear
    private let output: Linear
    private let expand: Linear
    private let contract: Linear

    /// What the names of a layer's weights begin with.
    static func prefix(_ index: Int) -> String { "text_model.encoder.layers.\(index)." }

    init(
        _ index: Int,
        _ configuration: CLIPTextConfiguration,
        from source: some ParameterSource
    ) throws(ModelError) {
        self.configuration = configuration
        let prefix = Self.prefix(index)
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
