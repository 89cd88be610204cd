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
            let stored = try source.stored(named: name, shape: shape)
            let floats = stored.floats
            if !stored.areFloats { stored.letGo() }
            return Parameter(frozen: floats)
        } catch {
            throw ModelError(error)
        }
    }

    /// Rows of a matrix of a shape, in an order, in memory of their own; its others are not read.
    func rows(_ indices: [Int], of name: String, shape: [Int]) throws(ModelError) -> Tensor {
        do {
            let matrix = try source.stored(named: name, shape: shape)
            let rows = Tensor.zeros([indices.count, shape[1]])
            for (row, index) in indices.enumerated() {
                matrix.rows(index..<index + 1).write(to: rows.rows(row..<row + 1))
            }
            matrix.letGo()
            return rows
        } catch {
            throw ModelError(error)
        }
    }

    /// Lets the system take back the memory in which the file's numbers of some tensors lie.
    func letGo(namesBeginningWith prefix: String) {
        for name in source.names where name.hasPrefix(prefix) { try? source.stored(named: name).letGo() }
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
