import Checkpoints
import ClusterMessages

/// How much of a checkpoint is here.
package struct CheckpointProgress: Sendable, Equatable {
    /// The checkpoint's round.
    package let round: UInt64
    package internal(set) var fetchedByteCount: Int
    package let byteCount: Int
}

extension CheckpointProgress: CustomStringConvertible {
    package var description: String {
        "round \(round): \(fetchedByteCount >> 10) of \(byteCount >> 10) KiB"
    }
}

extension StagedDownload {
    /// How much of it is here.
    var progress: CheckpointProgress {
        let missing = missing.reduce(0) { $0 + $1.byteCount }
        return CheckpointProgress(
            round: manifest.origin.round,
            fetchedByteCount: manifest.byteCount - missing,
            byteCount: manifest.byteCount
        )
    }
}

/// Fetches one checkpoint over a link into a store; what a killed process fetched of it is not asked for again.
struct CheckpointDownload: Sendable {
    let link: MessageLink
    let store: CheckpointStore

    /// Asks for the manifest, and sees what of the checkpoint is here already.
    func begin(_ request: Message.ManifestRequest) async throws -> StagedDownload {
        let manifest = try await manifest(request)
        return try StagedDownload(
            manifestBytes: manifest.payload,
            hash: ContentDigest(manifest.hash),
            into: store
        )
    }

    /// Asks for every chunk that is missing, and publishes.
    ///
    /// - Parameter progress: is told of every chunk; nil if nobody watches.
    func complete(
        _ begun: StagedDownload,
        progress: AsyncStream<CheckpointProgress>.Continuation? = nil
    ) async throws -> StoredCheckpoint {
        var download = begun
        var here = begun.progress
        let fetch = ChunkFetch(link: link, plane: .checkpoints)
        for chunk in begun.missing {
            let size = begun.manifest.files.first { $0.digest == chunk.file }?.byteCount ?? 0
            let range = chunk.offset..<chunk.offset + chunk.byteCount
            let bytes = try await fetch.bytes(range, of: ContentHash(chunk.file), byteCount: size)
            try download.receive(bytes, of: chunk.file, at: chunk.offset)
            here.fetchedByteCount += chunk.byteCount
            progress?.yield(here)
            reached(.rolloutAfterCheckpointChunk)
        }
        return try download.publish()
    }

    private func manifest(_ request: Message.ManifestRequest) async throws -> Message.Manifest {
        let subject =
            switch request {
            case .round(let round): "the manifest of round \(round)"
            case .hash(let hash): "the manifest \(hash.abbreviated)"
            }
        for _ in 0..<5 {
            try await link.send(.manifestRequest(request))
            switch try await link.next(within: .seconds(2)) {
            case .manifest(let manifest) where request.wants(manifest): return manifest
            case .fetchError(let error):
                throw NodeError.notServed(peer: link.peer, subject: subject, error.code, error.text)
            default: continue
            }
        }
        throw NodeError.silent(peer: link.peer, subject: subject, .seconds(10))
    }
}

extension Message.ManifestRequest {
    fileprivate func wants(_ manifest: Message.Manifest) -> Bool {
        switch self {
        case .round(let round): manifest.round == round
        case .hash(let hash): manifest.hash == hash
        }
    }
}
