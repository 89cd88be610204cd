import Tensors

/// The files of some checkpoints, found by their hashes and read in pieces: what a holder serves to others.
package struct ChunkSource: Sendable {
    private var files: [ContentDigest: MappedFile] = [:]

    /// Serves nothing yet.
    package init() {}

    /// Adds a checkpoint's files; they stay readable even after the store has removed the checkpoint.
    package mutating func add(_ checkpoint: StoredCheckpoint) throws(CheckpointError) {
        for file in checkpoint.manifest.files where files[file.digest] == nil {
            files[file.digest] = try MappedFile(opening: "\(checkpoint.folder)/\(file.name)")
        }
    }

    /// Stops serving the files of all checkpoints but these.
    package mutating func keepOnly(_ checkpoints: [StoredCheckpoint]) {
        let kept = Set(checkpoints.flatMap { $0.manifest.files.map(\.digest) })
        files = files.filter { kept.contains($0.key) }
    }

    /// Bytes of the file of hash `digest` from `offset` on: `byteCount` of them, fewer at the file's end.
    package func chunk(
        of digest: ContentDigest,
        at offset: Int,
        byteCount: Int
    ) throws(CheckpointError) -> [UInt8] {
        guard let file = files[digest] else { throw .unknownContent(digest) }
        guard offset >= 0, offset <= file.byteCount, byteCount >= 0 else {
            throw .badRange(digest, offset: offset, byteCount: byteCount)
        }
        let range = offset..<offset + min(byteCount, file.byteCount - offset)
        defer { file.letGo(range) }
        return file.bytes(range)
    }

    /// Bytes of the file of this hash; nil if it is not served.
    package func byteCount(of digest: ContentDigest) -> Int? { files[digest]?.byteCount }
}
