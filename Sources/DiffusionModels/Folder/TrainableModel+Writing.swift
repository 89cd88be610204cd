package import Checkpoints
import Foundation
package import Tensors

extension TrainableModel {
    /// The folder's files that training leaves as they are, relative to it: settings, tokenizers, scheduler, autoencoder.
    package func keptFiles() throws(CheckpointError) -> [String] {
        let folders = ["scheduler", "tokenizer", "tokenizer_2"] + (outline.hasAutoencoder ? ["vae"] : [])
        var files = ["model_index.json"] + Self.components.map { "\($0.rawValue)/config.json" }
        for folder in folders {
            files += try filePaths(below: "\(outline.path)/\(folder)").map { "\(folder)/\($0)" }
        }
        return files
    }

    /// Tells this start from another: a hash of the kept files, and of the weights where those count.
    package func startDigest(withWeights: Bool) throws(CheckpointError) -> ContentDigest {
        var parts: [UInt8] = []
        for file in try keptFiles() {
            parts += Array(file.utf8) + (try ContentDigest(ofFile: "\(outline.path)/\(file)")).bytes
        }
        if withWeights {
            for component in Self.components {
                parts += try ContentDigest(ofFolder: component.folder(in: outline.path)).bytes
            }
        }
        return ContentDigest(of: parts)
    }

    /// Writes a model folder as diffusers reads it: this one's files with other weights.
    ///
    /// It appears whole, in the place of a folder of that name.
    /// - Parameters:
    ///   - tensors: trained weights by the names of the set.
    ///   - base: weights that those are laid over.
    ///   - type: of the numbers, in the files.
    package func write(
        _ tensors: [(name: String, tensor: Tensor)],
        over base: Weights,
        as type: ScalarType,
        to folder: String
    ) throws {
        let stage = "\(folder).tmp-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: stage) }
        for file in try keptFiles() {
            try createFolder(of: "\(stage)/\(file)")
            let bytes = try fileBytes(at: "\(outline.path)/\(file)")
            let isEncoder = Self.encoders.contains { file == "\($0.rawValue)/config.json" }
            try writeAtomically(
                isEncoder ? Self.configuration(bytes, of: type) : bytes,
                to: "\(stage)/\(file)"
            )
        }
        let trained = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, StoredTensor($0.tensor)) })
        let all = base.stored.merging(trained) { $1 }
        for component in Self.components {
            let prefix = "\(component.rawValue)/"
            var writer = SafetensorsWriter(metadata: MergedTransformer.format)
            for (name, tensor) in all where name.hasPrefix(prefix) {
                writer.add(String(name.dropFirst(prefix.count)), tensor, as: type)
            }
            let name = component == .transformer ? MergedTransformer.weightsName : "model.safetensors"
            try writer.write(to: "\(stage)/\(prefix)\(name)")
        }
        try Self.publish(stage, as: folder)
    }

    /// A text encoder's configuration that names the type its weights are stored in.
    private static func configuration(_ bytes: [UInt8], of type: ScalarType) -> [UInt8] {
        let name = type == .float32 ? "float32" : type == .float16 ? "float16" : "bfloat16"
        let text = String(decoding: bytes, as: UTF8.self)
        let pattern = /(?<key>"(?:torch_)?dtype"\s*:\s*)"[a-z0-9]+"/
        return Array(text.replacing(pattern) { "\($0.output.key)\"\(name)\"" }.utf8)
    }

    private func createFolder(of file: String) throws(CheckpointError) {
        let folder = file.lastIndex(of: "/").map { String(file[..<$0]) } ?? "."
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw .unwritable(path: folder, reason: "a folder cannot be made there")
        }
    }

    /// Gives a complete stage its name; what had the name takes the stage's, and goes with it.
    private static func publish(_ stage: String, as folder: String) throws {
        guard FileManager.default.fileExists(atPath: folder) else {
            return try renameDurably(from: stage, to: folder)
        }
        do {
            try exchangeDurably(stage, folder)
        } catch {
            // Not every file system exchanges names.
            try FileManager.default.removeItem(atPath: folder)
            try renameDurably(from: stage, to: folder)
        }
    }
}
