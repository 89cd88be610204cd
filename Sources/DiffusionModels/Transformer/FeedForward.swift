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

    /// Whether its input may be rounded to bfloat16.
    func readsRounded(on tape: Tape) -> Bool {
        expand.readsRounded(on: tape) && contract.readsRounded(on: tape)
    }

    /// `x` is not read again.
    func callAsFunction(_ x: MapInput, on tape: Tape) -> Branch {
        switch x {
        case .floats(let x):
            let inner = expand(x, consuming: true, on: tape)
            let activated = tape.activation(.geluTanh, inner, consuming: true)
            return contract.branch(.floats(activated), consuming: true, on: tape)
        case .rounded(let x):
            let inner = tape.linearThroughGELU(
                x,
                weight: expand.weight,
                bias: expand.bias,
                consuming: true
            )
            return contract.branch(.rounded(inner), consuming: true, on: tape)
        }
    }
}
