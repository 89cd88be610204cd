import NeuralNetwork
import Tensors

/// Tokens to logits: norm, 1 × 1 convolution, group norm, leaky ReLU, a residual 3 × 3 convolution with the
/// same, and a last 1 × 1 convolution that starts at zero (after PCM's and LADD's heads).
struct DiscriminatorHead: Sendable {
    /// What the names of all heads' parameters begin with.
    static let prefix = "head."
    /// Channels inside the head.
    private static let channels = 64
    private static let groups = 8

    private let enter: Linear
    private let convolution: (weight: Parameter, bias: Parameter)
    private let norms: [(weight: Parameter, bias: Parameter)]
    private let exit: Linear

    /// - Parameter prefix: of this head's parameters.
    init(_ prefix: String, width: Int, from source: some ParameterSource) throws(ModelError) {
        let channels = Self.channels
        enter = try source.linear(prefix + "enter", inputs: width, outputs: channels)
        convolution = (
            try source.parameter(prefix + "convolution.weight", shape: [channels, 3, 3, channels]),
            try source.parameter(prefix + "convolution.bias", shape: [channels])
        )
        var norms: [(weight: Parameter, bias: Parameter)] = []
        for name in ["norm1", "norm2"] {
            norms.append(
                (
                    try source.parameter(prefix + name + ".weight", shape: [channels]),
                    try source.parameter(prefix + name + ".bias", shape: [channels])
                )
            )
        }
        self.norms = norms
        exit = try source.linear(prefix + "exit", inputs: channels, outputs: 1)
    }

    /// - Parameters:
    ///   - tokens: `[samples, rows · columns, width]`.
    ///   - extent: rows and columns.
    /// - Returns: `[samples, rows · columns]`.
    func callAsFunction(_ tokens: Variable, extent: (rows: Int, columns: Int), on tape: Tape) -> Variable {
        let samples = tokens.shape[0]
        let entered = enter(tape.layerNorm(tokens), on: tape)
        let x = activate(entered, 0, on: tape)
        let picture = tape.reshape(x, [samples, extent.rows, extent.columns, Self.channels])
        let convolved = tape.convolution(picture, weight: convolution.weight, bias: convolution.bias)
        let flat = tape.reshape(convolved, [samples, extent.rows * extent.columns, Self.channels])
        let y = tape.add(x, activate(flat, 1, on: tape))
        return tape.reshape(exit(y, on: tape), [samples, extent.rows * extent.columns])
    }

    private func activate(_ x: Variable, _ norm: Int, on tape: Tape) -> Variable {
        let normalized = tape.groupNorm(
            x,
            groups: Self.groups,
            weight: norms[norm].weight,
            bias: norms[norm].bias
        )
        return tape.activation(.leakyReLU, normalized)
    }
}

// MARK: - Initial values

extension DiscriminatorHead {
    /// Names and shapes of a head over features of `width`.
    static func layout(_ prefix: String, width: Int) -> [(name: String, shape: [Int])] {
        [
            (prefix + "convolution.bias", [channels]),
            (prefix + "convolution.weight", [channels, 3, 3, channels]),
            (prefix + "enter.bias", [channels]), (prefix + "enter.weight", [channels, width]),
            (prefix + "exit.bias", [1]), (prefix + "exit.weight", [1, channels]),
            (prefix + "norm1.bias", [channels]), (prefix + "norm1.weight", [channels]),
            (prefix + "norm2.bias", [channels]), (prefix + "norm2.weight", [channels]),
        ]
    }

    /// Norm weights are one, biases and the last map zero, other weights N(0, 2/inputs) (He and others 2015).
    static func initial(_ name: String, shape: [Int], seed: UInt64, stream: UInt64) -> Tensor {
        if name.hasSuffix("bias") || name.hasSuffix("exit.weight") { return .zeros(shape) }
        if name.hasSuffix("norm1.weight") || name.hasSuffix("norm2.weight") {
            return Tensor(repeating: 1, shape: shape)
        }
        var random = RandomStream(key: seed, stream: stream)
        let inputs = Float(shape.dropFirst().reduce(1, *))
        return random.normal(shape).scaled(by: (2 / inputs).squareRoot())
    }
}
