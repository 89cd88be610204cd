package import Tensors

/// Named tensors on disk: one file of them, or a folder of shards.
package protocol TensorSource: Sendable {
    /// The file or folder, as errors name it.
    var path: String { get }
    /// The names of all tensors, sorted.
    var names: [String] { get }

    /// True when there is a tensor of this name.
    func contains(_ name: String) -> Bool
    /// The extents of a tensor, outermost first.
    func shape(of name: String) throws(CheckpointError) -> [Int]
    /// True for a tensor that ``integers(named:)`` reads.
    func holdsIntegers(_ name: String) throws(CheckpointError) -> Bool
    /// An F32, F16 or BF16 tensor, its numbers unread.
    func stored(named name: String) throws(CheckpointError) -> StoredTensor
    /// The numbers of a BOOL, U8 or signed or narrower integer tensor, row-major.
    func integers(named name: String) throws(CheckpointError) -> [Int]
}

extension TensorSource {
    /// The numbers of an F32, F16 or BF16 tensor as 32-bit floats; F32 views the mapped file where aligned.
    package func tensor(named name: String) throws(CheckpointError) -> Tensor {
        try stored(named: name).floats
    }

    /// A tensor that must have `shape`, else ``CheckpointError/shapeMismatch(path:tensor:expected:found:)``.
    package func tensor(named name: String, shape: [Int]) throws(CheckpointError) -> Tensor {
        try stored(named: name, shape: shape).floats
    }

    /// The same, its numbers unread.
    package func stored(named name: String, shape: [Int]) throws(CheckpointError) -> StoredTensor {
        let found = try self.shape(of: name)
        guard found == shape else {
            throw .shapeMismatch(path: path, tensor: name, expected: shape, found: found)
        }
        return try stored(named: name)
    }

    /// All tensors but the position numbers some text encoders come with; other integers are no weights, and refused.
    package func storedTensors() throws(CheckpointError) -> [String: StoredTensor] {
        var all: [String: StoredTensor] = [:]
        for name in names where !name.hasSuffix("position_ids") { all[name] = try stored(named: name) }
        return all
    }

    /// The numbers of ``storedTensors()`` as 32-bit floats.
    package func tensors() throws(CheckpointError) -> [String: Tensor] {
        try storedTensors().mapValues(\.floats)
    }
}
