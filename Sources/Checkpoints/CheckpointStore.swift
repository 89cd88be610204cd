import FoundationEssentials

/// A folder of checkpoints, one sub-folder a round, of which a reader sees whole ones or none.
///
/// Names: `round-NNNNNN` is published; `tmp-…` is being written or removed; `fetch-…` is being downloaded.
/// The store keeps nothing in memory: it may be made anew at any time, in any process. One process writes.
package struct CheckpointStore: Sendable {
    /// The path of the store's folder.
    package let folder: String
    /// Bytes of the chunks in which what this store publishes is to be sent.
    package let chunkByteCount: Int

    /// Makes the folder if need be.
    package init(folder: String, chunkByteCount: Int = 1 << 19) throws(CheckpointError) {
        precondition(
            (1...CheckpointManifest.largestChunkByteCount).contains(chunkByteCount),
            "chunks of \(chunkByteCount) bytes are not in 1...\(CheckpointManifest.largestChunkByteCount)"
        )
        self.folder = folder
        self.chunkByteCount = chunkByteCount
        try Folder(folder).create()
    }

    /// Opens a store to read, which must be there.
    package init(reading folder: String) throws(CheckpointError) {
        _ = try Folder(folder).entries()
        self.folder = folder
        chunkByteCount = 1 << 19
    }

    /// The published rounds, ascending.
    package func rounds() throws(CheckpointError) -> [UInt64] {
        try Folder(folder).entries().compactMap(Self.round).sorted()
    }

    /// Reads the manifest of a round and compares the files' sizes, not their bytes.
    package func checkpoint(ofRound round: UInt64) throws(CheckpointError) -> StoredCheckpoint {
        guard try rounds().contains(round) else { throw .unknownRound(round, folder: folder) }
        let checkpoint = try StoredCheckpoint(folder: path(ofRound: round))
        guard checkpoint.round == round else {
            throw .corrupt(path: checkpoint.folder, reason: "its manifest is of round \(checkpoint.round)")
        }
        return checkpoint
    }

    /// Reads a round's manifest and re-hashes its files.
    package func verify(round: UInt64) throws(CheckpointError) -> StoredCheckpoint {
        let checkpoint = try checkpoint(ofRound: round)
        try checkpoint.verify()
        return checkpoint
    }

    /// The newest checkpoint that verifies, and why newer ones were passed over, newest first.
    package func latestVerified() throws(CheckpointError) -> VerifiedCheckpoint {
        var rejected: [RejectedCheckpoint] = []
        for round in try rounds().reversed() {
            do {
                return VerifiedCheckpoint(checkpoint: try verify(round: round), rejected: rejected)
            } catch {
                rejected.append(RejectedCheckpoint(round: round, reason: error))
            }
        }
        return VerifiedCheckpoint(checkpoint: nil, rejected: rejected)
    }
}

/// The result of looking for a checkpoint to go on from.
package struct VerifiedCheckpoint: Sendable {
    /// Nil when there is none at all, or none that verifies.
    package let checkpoint: StoredCheckpoint?
    /// Newer checkpoints that were passed over, newest first.
    package let rejected: [RejectedCheckpoint]
}

/// A checkpoint that could not be used.
package struct RejectedCheckpoint: Equatable, Sendable {
    /// The round its folder is named for.
    package let round: UInt64
    /// Why it could not be used.
    package let reason: CheckpointError
}

// MARK: - Names

extension CheckpointStore {
    func path(ofRound round: UInt64) -> String {
        let digits = String(round)
        return "\(folder)/round-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    private static func round(of name: String) -> UInt64? {
        guard name.hasPrefix("round-") else { return nil }
        let digits = name.dropFirst("round-".count)
        guard digits.count >= 6, digits.allSatisfy(\.isNumber) else { return nil }
        return UInt64(digits)
    }
}
