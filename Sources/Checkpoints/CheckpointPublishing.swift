import FoundationEssentials
import Tensors

/// What a file of a checkpoint is to hold.
package enum CheckpointContent: Sendable {
    case bytes([UInt8])
    case tensors(SafetensorsWriter)
}

extension CheckpointStore {
    /// Writes a checkpoint: it appears whole or not at all, and survives a power cut once this has returned.
    ///
    /// Files go to `tmp-…` and to the disk, the manifest last; then the folder gets its name. A round is
    /// published once.
    package func publish(
        _ origin: CheckpointOrigin,
        files: [(name: String, content: CheckpointContent)]
    ) throws(CheckpointError) -> StoredCheckpoint {
        guard try !rounds().contains(origin.round) else {
            throw .alreadyPublished(origin.round, folder: folder)
        }
        let stage = temporaryFolder()
        try stage.create()
        do throws(CheckpointError) {
            var described: [CheckpointFile] = []
            for (name, content) in files {
                guard isPlainFileName(name) else { throw .badFileName(name) }
                described.append(try write(content, named: name, in: stage))
            }
            let manifest = CheckpointManifest(origin: origin, files: described)
            return try publish(stage, manifest: try manifest.encoded(), round: origin.round)
        } catch {
            if stage.exists { try stage.remove() }
            throw error
        }
    }

    /// Adds the manifest, once it is known to be in order, to a complete stage and publishes it.
    func publish(
        _ stage: Folder,
        manifest bytes: [UInt8],
        round: UInt64
    ) throws(CheckpointError) -> StoredCheckpoint {
        let manifestPath = "\(stage.path)/\(StoredCheckpoint.manifestName)"
        _ = try CheckpointManifest(decoding: bytes, path: manifestPath)
        try writeAtomically(bytes, to: manifestPath)
        try writeAtomically(
            StoredCheckpoint.digestLine(ContentDigest(of: bytes)),
            to: "\(stage.path)/\(StoredCheckpoint.manifestDigestName)"
        )
        try stage.synchronize()
        try stage.move(to: path(ofRound: round))
        return try checkpoint(ofRound: round)
    }

    /// Removes what a killed process left half written or half removed; returns the names of those folders.
    ///
    /// To be called by the one process that writes, before it does. Downloads are kept: they go on where they
    /// stopped.
    package func sweepAbandoned() throws(CheckpointError) -> [String] {
        let abandoned = try Folder(folder).entries().filter { $0.hasPrefix("tmp-") }
        for name in abandoned { try Folder("\(folder)/\(name)").remove() }
        return abandoned
    }

    /// Removes a round; a reader sees it whole or not at all.
    package func remove(round: UInt64) throws(CheckpointError) {
        guard try rounds().contains(round) else { throw .unknownRound(round, folder: folder) }
        let doomed = temporaryFolder()
        try Folder(path(ofRound: round)).move(to: doomed.path)
        try doomed.remove()
    }

    private func temporaryFolder() -> Folder { Folder("\(folder)/tmp-\(UUID().uuidString)") }

    private func write(
        _ content: CheckpointContent,
        named name: String,
        in stage: Folder
    ) throws(CheckpointError) -> CheckpointFile {
        var running = ChunkedDigest(chunkByteCount: chunkByteCount)
        do {
            var file = try DurableFile(creating: "\(stage.path)/\(name)")
            switch content {
            case .bytes(let bytes):
                running.update(bytes)
                try file.append(bytes)
            case .tensors(let writer):
                for piece in writer.pieces {
                    running.update(piece)
                    try file.append(piece)
                }
            }
            try file.close()
        } catch {
            throw CheckpointError(error)
        }
        return CheckpointFile(
            name: name,
            byteCount: running.byteCount,
            digest: running.digest,
            chunkByteCount: chunkByteCount,
            chunkChecksums: running.checksums
        )
    }
}
