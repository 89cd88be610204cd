import FoundationEssentials
package import Tensors

/// The weights of one component folder as diffusers writes it: one file, or shards with an index.
package struct SafetensorsFolder: TensorSource {
    package let path: String
    /// The shards by their file names.
    private let shards: [String: SafetensorsFile]
    /// Which shard holds a tensor.
    private let shardNames: [String: String]

    /// Opens the folder's `diffusion_pytorch_model` or `model`, sharded or not, else its only weights.
    ///
    /// Every shard an index names is opened, and has to hold the tensors the index says.
    package init(path: String) throws(CheckpointError) {
        self.path = path
        let name = try Self.weights(in: try Folder(path).entries(), of: path)
        if Self.isIndex(name) {
            (shards, shardNames) = try Self.openShards(of: name, in: path)
        } else {
            let file = try SafetensorsFile(path: "\(path)/\(name)")
            shards = [name: file]
            shardNames = Dictionary(uniqueKeysWithValues: file.names.map { ($0, name) })
        }
    }

    package var names: [String] { shardNames.keys.sorted() }

    package func contains(_ name: String) -> Bool { shardNames[name] != nil }

    package func shape(of name: String) throws(CheckpointError) -> [Int] {
        try shard(of: name).shape(of: name)
    }

    package func stored(named name: String) throws(CheckpointError) -> StoredTensor {
        try shard(of: name).stored(named: name)
    }

    package func holdsIntegers(_ name: String) throws(CheckpointError) -> Bool {
        try shard(of: name).holdsIntegers(name)
    }

    package func integers(named name: String) throws(CheckpointError) -> [Int] {
        try shard(of: name).integers(named: name)
    }

    /// How the numbers of a tensor are stored; nil for integers and other types no tensor is made from.
    package func scalarType(of name: String) throws(CheckpointError) -> ScalarType? {
        try shard(of: name).scalarType(of: name)
    }

    private func shard(of name: String) throws(CheckpointError) -> SafetensorsFile {
        guard let shardName = shardNames[name], let shard = shards[shardName] else {
            throw .missingTensor(path: path, tensor: name)
        }
        return shard
    }
}

// MARK: - Finding the files

extension SafetensorsFolder {
    private static let suffix = ".safetensors"
    private static let indexSuffix = ".safetensors.index.json"

    /// The file to read: the usual names first, so that a half-precision variant beside them does no harm.
    private static func weights(in entries: [String], of folder: String) throws(CheckpointError) -> String {
        let usual = ["diffusion_pytorch_model", "model"].flatMap { [$0 + indexSuffix, $0 + suffix] }
        if let name = usual.first(where: entries.contains) { return name }
        let indexes = entries.filter(isIndex)
        let candidates = indexes.isEmpty ? entries.filter { $0.hasSuffix(suffix) } : indexes
        guard let only = candidates.first else {
            throw .badIndex(path: folder, reason: "holds no *\(suffix) and no *\(indexSuffix)")
        }
        guard candidates.count == 1 else {
            throw .badIndex(
                path: folder,
                reason: "holds several weights: \(candidates.joined(separator: ", "))"
            )
        }
        return only
    }

    /// Whether a file is an index of shards; a variant's is named `model.safetensors.index.fp16.json`.
    private static func isIndex(_ name: String) -> Bool {
        name.contains(suffix + ".index.") && name.hasSuffix(".json")
    }

    /// The part of an index that is read.
    private struct Index: Decodable {
        let shardNames: [String: String]

        enum CodingKeys: String, CodingKey {
            case shardNames = "weight_map"
        }
    }

    private static func openShards(
        of indexName: String,
        in folder: String
    ) throws(CheckpointError) -> (shards: [String: SafetensorsFile], shardNames: [String: String]) {
        let indexPath = "\(folder)/\(indexName)"
        let file = try MappedFile(opening: indexPath)
        let shardNames: [String: String]
        do {
            let bytes = Data(file.bytes(0..<file.byteCount))
            shardNames = try JSONDecoder().decode(Index.self, from: bytes).shardNames
        } catch {
            let reason = (error as? DecodingError)?.reason ?? "\(error)"
            throw .badIndex(path: indexPath, reason: "is not an index of shards: \(reason)")
        }
        var shards: [String: SafetensorsFile] = [:]
        for name in Set(shardNames.values).sorted() {
            guard isPlainFileName(name) else { throw .badFileName(name) }
            guard try Folder(folder).entries().contains(name) else {
                throw .missingShard(index: indexPath, shard: name)
            }
            shards[name] = try SafetensorsFile(path: "\(folder)/\(name)")
        }
        for (tensor, shardName) in shardNames.sorted(by: { $0.key < $1.key }) {
            guard let shard = shards[shardName], shard.contains(tensor) else {
                throw .missingTensor(path: "\(folder)/\(shardName)", tensor: tensor)
            }
        }
        return (shards, shardNames)
    }
}
