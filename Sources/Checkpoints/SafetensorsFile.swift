package import Tensors

/// A mapped safetensors file, its header completely checked.
package struct SafetensorsFile: TensorSource {
    package let path: String
    private let file: MappedFile
    private let header: SafetensorsHeader

    /// Maps the file and checks its header; reads no numbers yet.
    package init(path: String) throws(CheckpointError) {
        self.path = path
        file = try MappedFile(opening: path)
        header = try SafetensorsHeader(of: file)
    }

    /// What the header's `__metadata__` says; empty where it has none.
    package var metadata: [String: String] { header.metadata }

    package var names: [String] { header.entries.keys.sorted() }

    package func contains(_ name: String) -> Bool { header.entries[name] != nil }

    package func shape(of name: String) throws(CheckpointError) -> [Int] { try entry(name).shape }

    package func stored(named name: String) throws(CheckpointError) -> StoredTensor {
        let entry = try entry(name)
        guard let scalar = entry.type.scalar else {
            throw .unsupportedType(
                path: path,
                tensor: name,
                expected: "F32, F16 or BF16",
                found: entry.type.rawValue
            )
        }
        return file.stored(entry.range, as: scalar, shape: entry.shape)
    }

    package func holdsIntegers(_ name: String) throws(CheckpointError) -> Bool {
        try entry(name).type.isInteger
    }

    package func integers(named name: String) throws(CheckpointError) -> [Int] {
        let entry = try entry(name)
        guard entry.type.isInteger else {
            throw .unsupportedType(
                path: path,
                tensor: name,
                expected: "an integer type up to I64",
                found: entry.type.rawValue
            )
        }
        return entry.type.integers(in: file.bytes(entry.range))
    }

    /// How the numbers of a tensor are stored; nil for integers and other types no tensor is made from.
    package func scalarType(of name: String) throws(CheckpointError) -> ScalarType? {
        try entry(name).type.scalar
    }

    private func entry(_ name: String) throws(CheckpointError) -> SafetensorsEntry {
        guard let entry = header.entries[name] else { throw .missingTensor(path: path, tensor: name) }
        return entry
    }
}
