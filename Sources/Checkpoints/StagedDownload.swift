/// A chunk a download still lacks.
package struct MissingChunk: Hashable, Sendable {
    /// Hash of the file it is a part of.
    package let file: ContentDigest
    /// Where in the file the chunk begins, in bytes.
    package let offset: Int
    /// Bytes of the chunk.
    package let byteCount: Int

    /// Names a chunk.
    package init(file: ContentDigest, offset: Int, byteCount: Int) {
        self.file = file
        self.offset = offset
        self.byteCount = byteCount
    }
}

/// A checkpoint being fetched chunk by chunk, from anybody and in any order.
///
/// Chunks are written where they belong in `fetch-…`, which survives a restart: whoever begins the same
/// download again reads what is there and asks only for the chunks whose checksums are wrong. Files another
/// checkpoint of the store already has are linked, not asked for.
package struct StagedDownload: Sendable {
    /// What is being fetched.
    package let manifest: CheckpointManifest
    /// The hash by which the checkpoint was announced.
    package let manifestHash: ContentDigest
    private let manifestBytes: [UInt8]
    private let store: CheckpointStore
    private let stage: Folder
    private var files: [PartialFile]

    /// Begins or goes on with the download of the checkpoint whose manifest has these bytes and this hash.
    package init(
        manifestBytes: [UInt8],
        hash: ContentDigest,
        into store: CheckpointStore
    ) throws(CheckpointError) {
        guard ContentDigest(of: manifestBytes) == hash else {
            throw .badManifest(path: "download", reason: "its hash is not \(hash)")
        }
        manifest = try CheckpointManifest(decoding: manifestBytes, path: "download")
        manifestHash = hash
        self.manifestBytes = manifestBytes
        self.store = store
        stage = Folder("\(store.folder)/\(Self.prefix)\(manifest.origin.round)-\(hash.hex.prefix(16))")
        try stage.create()
        files = []
        let held = try Self.filesHeld(by: store)
        for file in manifest.files {
            files.append(
                try PartialFile(file, at: "\(stage.path)/\(file.name)", copy: held[file.digest])
            )
        }
    }

    /// The chunks still to be asked for, in the manifest's order; each once, even where two files are alike.
    package var missing: [MissingChunk] {
        var seen: Set<MissingChunk> = []
        return files.flatMap(\.missing).filter { seen.insert($0).inserted }
    }

    /// True when every chunk is here and every file has its hash.
    package var isComplete: Bool { files.allSatisfy(\.isComplete) }

    /// Takes one chunk of ``missing``; a chunk that is here already is ignored.
    ///
    /// Throws ``CheckpointError/badChunk(_:offset:expected:found:)`` for wrong bytes, and
    /// ``CheckpointError/corrupt(path:reason:)`` if a file complete in chunks has another hash: it is then
    /// missing again.
    package mutating func receive(
        _ bytes: [UInt8],
        of digest: ContentDigest,
        at offset: Int
    ) throws(CheckpointError) {
        let indices = files.indices.filter { files[$0].target.digest == digest }
        guard !indices.isEmpty else { throw .unknownContent(digest) }
        for index in indices { try files[index].receive(bytes, at: offset) }
    }

    /// Publishes the complete checkpoint, or finds that it was published.
    ///
    /// Downloads of the same or of older rounds are dropped.
    package func publish() throws(CheckpointError) -> StoredCheckpoint {
        guard isComplete else {
            let missingByteCount = missing.reduce(0) { $0 + $1.byteCount }
            throw .incomplete(path: stage.path, missingByteCount: missingByteCount)
        }
        for file in files { try file.synchronize() }
        let round = manifest.origin.round
        let published: StoredCheckpoint
        if try store.rounds().contains(round) {
            published = try store.checkpoint(ofRound: round)
            guard published.manifestHash == manifestHash else {
                throw .alreadyPublished(round, folder: store.folder)
            }
            try stage.remove()
        } else {
            published = try store.publish(stage, manifest: manifestBytes, round: round)
        }
        for name in try Folder(store.folder).entries() where Self.isDownload(name, upTo: round) {
            try Folder("\(store.folder)/\(name)").remove()
        }
        return published
    }
}

// MARK: - The store around it

extension StagedDownload {
    /// Where the files of the published checkpoints lie; a checkpoint that cannot be read offers none.
    private static func filesHeld(by store: CheckpointStore) throws(CheckpointError) -> [ContentDigest:
        String]
    {
        var held: [ContentDigest: String] = [:]
        for round in try store.rounds() {
            do {
                let checkpoint = try store.checkpoint(ofRound: round)
                for file in checkpoint.manifest.files {
                    held[file.digest] = "\(checkpoint.folder)/\(file.name)"
                }
            } catch {
                continue
            }
        }
        return held
    }

    private static let prefix = "fetch-"

    /// True for the folder of a download of `round` or an earlier one.
    private static func isDownload(_ name: String, upTo round: UInt64) -> Bool {
        guard name.hasPrefix(prefix) else { return false }
        let digits = name.dropFirst(prefix.count).prefix { $0 != "-" }
        return UInt64(digits).map { $0 <= round } ?? false
    }
}
