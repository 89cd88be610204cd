package import Checkpoints
import Foundation
package import Tensors

/// One prompt as the text encoders leave it, before it is laid out for a transformer.
package struct PromptEncoding: Sendable {
    /// Both CLIP encoders' penultimate states side by side, `[tokens, sum of widths]`.
    package let clip: Tensor
    /// Both projections side by side, `[sum of projection widths]`.
    package let pooled: Tensor
    /// T5's states, `[T5 tokens, width]`; nil where there is no T5, or no tokens for it.
    package let t5: Tensor?
}

/// Encoded prompts on disk, so that whoever meets a prompt again needs no text encoder in memory.
///
/// One safetensors file a prompt, named by the SHA-256 of the models' bytes, the lengths and the prompt; 32-bit
/// floats, so that a kept encoding equals a new one bit for bit. Files appear whole or not at all, processes may
/// share the folder, and the files written first go first when there are too many bytes.
package struct PromptCache: Sendable {
    private static let suffix = ".safetensors"
    private static let digestKey = "digest"
    /// What a file takes beside its numbers, at most.
    static let headerByteCount = 1024
    /// After so long an unfinished file is one whose writer was killed, in seconds.
    private static let longestWrite: TimeInterval = 3600

    package let folder: String
    package let byteLimit: Int
    /// The hash of everything but the prompt that encodings depend on.
    private let model: ContentDigest

    /// Opens or makes the folder.
    ///
    /// - Parameters:
    ///   - byteLimit: what the files may take together, at least 1.
    ///   - modelFolders: of the text encoders and tokenizers; their files' bytes are hashed.
    package init(folder: String, byteLimit: Int, modelFolders: [String]) throws {
        precondition(byteLimit > 0, "a cache of \(byteLimit) bytes")
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw CheckpointError.unwritable(path: folder, reason: "\(error.localizedDescription)")
        }
        self.folder = folder
        self.byteLimit = byteLimit
        model = ContentDigest(of: try modelFolders.flatMap { try ContentDigest(ofFolder: $0).bytes })
    }

    /// A kept encoding; nil for one that is not there, or whose file is spoiled, which is removed.
    package func encoding(of prompt: String, lengths: [Int]) throws -> PromptEncoding? {
        let path = path(of: prompt, lengths: lengths)
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        if let encoding = Self.read(path) { return encoding }
        try remove(path)
        return nil
    }

    /// Whether there is a file for a prompt; what is in it is not looked at.
    func holds(_ prompt: String, lengths: [Int]) -> Bool {
        FileManager.default.fileExists(atPath: path(of: prompt, lengths: lengths))
    }

    /// Keeps an encoding, replacing what was kept of this prompt.
    package func store(_ encoding: PromptEncoding, of prompt: String, lengths: [Int]) throws(CheckpointError)
    {
        var tensors = ["clip": encoding.clip, "pooled": encoding.pooled]
        tensors["t5"] = encoding.t5
        let digest = ContentDigest(ofTensors: tensors)
        try SafetensorsWriter(tensors, metadata: [Self.digestKey: digest.hex])
            .write(to: path(of: prompt, lengths: lengths))
    }

    /// Removes files until the rest fits, those written first before the others.
    package func trim() throws {
        var files = try entries()
        for file in files where !file.path.hasSuffix(Self.suffix) {
            if file.written.timeIntervalSinceNow < -Self.longestWrite { try remove(file.path) }
        }
        files = files.filter { $0.path.hasSuffix(Self.suffix) }.sorted { $0.written < $1.written }
        var total = files.reduce(0) { $0 + $1.byteCount }
        for file in files where total > byteLimit {
            try remove(file.path)
            total -= file.byteCount
        }
    }

    private func path(of prompt: String, lengths: [Int]) -> String {
        let text =
            "prompt encoding 1\n\(model.hex)\n\(lengths.map(String.init).joined(separator: " "))\n\(prompt)"
        return "\(folder)/\(ContentDigest(of: Array(text.utf8)).hex)\(Self.suffix)"
    }

    /// The encoding in a file; nil unless its bytes are those that were written.
    private static func read(_ path: String) -> PromptEncoding? {
        guard let file = try? SafetensorsFile(path: path), let tensors = try? file.tensors() else {
            return nil
        }
        guard file.metadata[digestKey] == ContentDigest(ofTensors: tensors).hex,
            let clip = tensors["clip"], let pooled = tensors["pooled"]
        else { return nil }
        return PromptEncoding(clip: clip, pooled: pooled, t5: tensors["t5"])
    }

    private struct Entry {
        let path: String
        let byteCount: Int
        let written: Date
    }

    /// The folder's files of encodings, unfinished ones too; one that goes while we look is left out.
    private func entries() throws -> [Entry] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            throw CheckpointError.unreadable(path: folder, reason: "\(error.localizedDescription)")
        }
        return names.filter { $0.contains(Self.suffix) }.compactMap { name in
            let path = "\(folder)/\(name)"
            guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
                let byteCount = attributes[.size] as? Int,
                let written = attributes[.modificationDate] as? Date
            else { return nil }
            return Entry(path: path, byteCount: byteCount, written: written)
        }
    }

    /// Removes a file, which another process may have done already.
    private func remove(_ path: String) throws(CheckpointError) {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            guard FileManager.default.fileExists(atPath: path) else { return }
            throw .unwritable(path: path, reason: "\(error.localizedDescription)")
        }
    }
}
