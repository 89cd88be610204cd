import NeuralNetwork
import Tensors

/// Two linear maps with tanh-approximated GELU between, four times as wide inside.
struct FeedForward: Sendable {
    private let expand: Linear
    private let contract: Linear

    init(_ name: String, width: Int, from source: some ParameterSource) throws(ModelError) {
        expand = try source.linear(name + ".net.0.proj", inputs: width, outputs: 4 * width)
        contract = try source.linear(name + ".net.2", inputs: 4 * width, outputs: width)
    }

    /// `x` is not read again.
    func callAsFunction(_ x: Variable, on tape: Tape) -> Variable {
        let inner = expand(x, consuming: true, on: tape)
        return contract(inner, through: .geluTanh, consuming: true, on: tape)
    }
}
