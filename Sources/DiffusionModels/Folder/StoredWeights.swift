package import Checkpoints
package import Tensors

/// Weights on disk, each read when it is asked for: memory holds no more of a large network than is in use.
package struct StoredWeights: ParameterSource, Sendable {
    private let source: any TensorSource

    package init(_ source: any TensorSource) {
        self.source = source
    }

    /// Numbers in all tensors.
    package var elementCount: Int {
        get throws { try source.names.reduce(0) { $0 + (try source.shape(of: $1).reduce(1, *)) } }
    }

    package func contains(_ name: String) -> Bool { source.contains(name) }

    package func parameter(_ name: String, shape: [Int]) throws(ModelError) -> Parameter {
        do {
            return Parameter(frozen: try source.tensor(named: name, shape: shape))
        } catch {
            throw ModelError(error)
        }
    }

    /// Throws unless there is a tensor of a name with this shape; reads none of its numbers.
    func check(_ name: String, shape: [Int]) throws(ModelError) {
        do {
            let found = try source.shape(of: name)
            guard found == shape else {
                throw CheckpointError.shapeMismatch(
                    path: source.path,
                    tensor: name,
                    expected: shape,
                    found: found
                )
            }
            if try source.holdsIntegers(name) { _ = try source.tensor(named: name) }
        } catch let error as CheckpointError {
            throw ModelError(error)
        } catch {
            throw .badFile(path: source.path, reason: "\(error)")
        }
    }
}

/// Answers for weights on disk by their headers alone, so that a network made from it shows what does not fit.
struct ShapeCheck: ParameterSource {
    let weights: StoredWeights

    func parameter(_ name: String, shape: [Int]) throws(ModelError) -> Parameter {
        try weights.check(name, shape: shape)
        return Parameter(frozen: .zeros([0]))
    }
}

extension ModelError {
    /// A file's error in a network's terms.
    init(_ error: CheckpointError) {
        switch error {
        case .missingTensor(let path, let tensor): self = .missingTensor(name: tensor, file: path)
        case .shapeMismatch(let path, let tensor, let expected, let found):
            self = .wrongShape(name: tensor, file: path, expected: expected, found: found)
        case .unsupportedType(let path, let tensor, let expected, let found):
            self = .unsupported(path: path, field: "tensor \(tensor)", value: found, expected: expected)
        default: self = .badFile(path: "weights", reason: "\(error)")
        }
    }
}
