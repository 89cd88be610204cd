package import DiffusionModels
import NeuralNetwork
import Tensors

extension BenchmarkShape {
    /// Weights for the network or block of this shape: a pure function of shape and seed.
    package func randomWeights(seed: UInt64 = 0) throws(ModelError) -> Weights {
        let drawing = WeightDrawing(seed: seed)
        _ = try BenchmarkNetwork(self, from: drawing)
        return Weights(origin: "random weights of \(name)", tensors: drawing.tensors)
    }
}

/// Draws whatever parameters a network asks for, so that their names and shapes are written nowhere else.
///
/// Matrices are N(0, 1/inputs), so that values keep their size from layer to layer; norms' weights are one and
/// biases zero.
private final class WeightDrawing: ParameterSource {
    private let seed: UInt64
    private(set) var tensors: [String: Tensor] = [:]

    init(seed: UInt64) { self.seed = seed }

    func parameter(_ name: String, shape: [Int]) throws(ModelError) -> Parameter {
        let tensor = draw(name, shape: shape)
        tensors[name] = tensor
        return Parameter(frozen: tensor)
    }

    private func draw(_ name: String, shape: [Int]) -> Tensor {
        if name.hasSuffix(".bias") { return .zeros(shape) }
        if shape.count == 1 { return Tensor(repeating: 1, shape: shape) }
        var stream = RandomStream(key: seed, stream: UInt64(tensors.count))
        let inputs = shape.dropFirst().reduce(1, *)
        return stream.normal(shape).scaled(by: 1 / Float(inputs).squareRoot())
    }
}

extension Weights {
    /// Bytes of all tensors, 32-bit floats.
    var byteCount: Int { stored.values.reduce(0) { $0 + 4 * $1.count } }
}
