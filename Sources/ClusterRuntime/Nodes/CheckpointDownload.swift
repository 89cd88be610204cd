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

/// Fetches one checkpoint into a store; what a killed process fetched of it is not asked for again.
struct CheckpointDownload: Sendable {
    /// A download whose manifest is here.
    struct Beginning: Sendable {
        let staged: StagedDownload
        /// Others that have the checkpoint, as the coordinator says.
        let holders: [Message.Holder]
    }

    /// To the coordinator, which is believed in what it says of the manifest's hash, and has every chunk.
    let link: MessageLink
    let network: NodeNetwork
    let store: CheckpointStore

    /// Asks for the manifest, and sees what of the checkpoint is here already.
    func begin(_ request: Message.ManifestRequest) async throws -> Beginning {
        let manifest = try await manifest(request)
        let staged = try StagedDownload(
            manifestBytes: manifest.payload,
            hash: ContentDigest(manifest.hash),
            into: store
        )
        return Beginning(staged: staged, holders: manifest.holders)
    }

    /// Asks for every chunk that is missing, and publishes.
    ///
    /// Other holders are asked first, one at a time and until they fail, then the coordinator. No holder is
    /// trusted: a chunk is compared with its checksum, and a file with its hash.
    ///
    /// - Parameter progress: is told of every chunk; nil if nobody watches.
    func complete(
        _ beginning: Beginning,
        progress: AsyncStream<CheckpointProgress>.Continuation? = nil
    ) async throws -> StoredCheckpoint {
        var download = beginning.staged
        for holder in beginning.holders where !download.isComplete {
            do {
                try await network.withLink(
                    to: holder.endpoint,
                    serverKey: holder.publicKey,
                    peer: "another holder"
                ) { link in
                    let fetch = ChunkFetch(link: link, plane: .checkpoints, patience: .seconds(3))
                    try await self.fetchMissing(of: &download, by: fetch, progress)
                }
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                // It does not have it any more, or is away, or sent other bytes; the next one is asked for the rest.
                continue
            }
        }
        let fetch = ChunkFetch(link: link, plane: .checkpoints)
        try await fetchMissing(of: &download, by: fetch, progress)
        return try download.publish()
    }

    private func fetchMissing(
        of download: inout StagedDownload,
        by fetch: ChunkFetch,
        _ progress: AsyncStream<CheckpointProgress>.Continuation?
    ) async throws {
        var here = download.progress
        for chunk in download.missing {
            let size = download.manifest.files.first { $0.digest == chunk.file }?.byteCount ?? 0
            let range = chunk.offset..<chunk.offset + chunk.byteCount
            let bytes = try await fetch.bytes(range, of: ContentHash(chunk.file), byteCount: size)
            try download.receive(bytes, of: chunk.file, at: chunk.offset)
            here.fetchedByteCount += chunk.byteCount
            progress?.yield(here)
            reached(.rolloutAfterCheckpointChunk)
        }
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
