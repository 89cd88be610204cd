import FoundationEssentials
import Tensors

/// A published checkpoint: a folder whose manifest has been read.
package struct StoredCheckpoint: Sendable {
    static let manifestName = "manifest.json"
    /// Guards the manifest itself, in the format of `sha256sum`.
    static let manifestDigestName = "manifest.sha256"

    /// The path of the checkpoint's folder.
    package let folder: String
    /// What the checkpoint is of and which files it has.
    package let manifest: CheckpointManifest
    /// The manifest exactly as stored, as it is sent to others.
    package let manifestBytes: [UInt8]

    /// The hash by which a checkpoint is announced.
    package let manifestHash: ContentDigest

    /// Reads the manifest and compares the files' sizes with it; their bytes are not read.
    init(folder: String) throws(CheckpointError) {
        self.folder = folder
        let path = "\(folder)/\(Self.manifestName)"
        let file = try MappedFile(opening: path)
        manifestBytes = file.bytes(0..<file.byteCount)
        manifestHash = ContentDigest(of: manifestBytes)
        let guardFile = try MappedFile(opening: "\(folder)/\(Self.manifestDigestName)")
        guard guardFile.bytes(0..<guardFile.byteCount) == Self.digestLine(manifestHash) else {
            throw .corrupt(path: path, reason: "its hash is not the one in \(Self.manifestDigestName)")
        }
        manifest = try CheckpointManifest(decoding: manifestBytes, path: path)
        for file in manifest.files {
            let found = try MappedFile(opening: "\(folder)/\(file.name)").byteCount
            guard found == file.byteCount else {
                throw .truncated(path: "\(folder)/\(file.name)", expected: file.byteCount, found: found)
            }
        }
    }

    /// The averaging round whose parameters these are.
    package var round: UInt64 { manifest.origin.round }

    /// Where the file of this name lies; throws if the manifest does not name it.
    package func path(of name: String) throws(CheckpointError) -> String {
        guard manifest.files.contains(where: { $0.name == name }) else {
            throw .unreadable(path: "\(folder)/\(name)", reason: "the manifest names no such file")
        }
        return "\(folder)/\(name)"
    }

    /// Opens a file of tensors.
    package func tensors(in name: String) throws(CheckpointError) -> SafetensorsFile {
        try SafetensorsFile(path: try path(of: name))
    }

    /// All bytes of a file.
    package func bytes(of name: String) throws(CheckpointError) -> [UInt8] {
        let file = try MappedFile(opening: try path(of: name))
        return file.bytes(0..<file.byteCount)
    }

    /// Re-reads every file and compares it with the manifest.
    func verify() throws(CheckpointError) {
        for file in manifest.files {
            let path = "\(folder)/\(file.name)"
            let mapped = try MappedFile(opening: path)
            var running = ChunkedDigest(chunkByteCount: file.chunkByteCount)
            for range in mapped.ranges(of: file.chunkByteCount) {
                running.update(mapped.bytes(range))
                mapped.letGo(range)
            }
            guard running.digest == file.digest else {
                throw .corrupt(path: path, reason: "its hash is not \(file.digest)")
            }
            guard running.checksums == file.chunkChecksums else {
                throw .corrupt(path: path, reason: "its chunks have other checksums than the manifest says")
            }
        }
    }

    static func digestLine(_ hash: ContentDigest) -> [UInt8] {
        Array("\(hash.hex)  \(manifestName)\n".utf8)
    }
}
