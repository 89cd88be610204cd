import Checkpoints
import ClusterMessages

/// Fetches bytes by their hash from whoever serves them, within a window.
struct ChunkFetch: Sendable {
    /// Which plane the bytes are on.
    enum Plane: Sendable {
        case trajectories, checkpoints, ring

        /// Bytes asked for and not yet here; of trajectories, which come one batch behind the other all the time, enough that
        /// neither end waits for the other while a core does something else.
        var windowByteCount: Int {
            self == .trajectories ? 4 * ChunkTransfer.windowByteCount : ChunkTransfer.windowByteCount
        }
    }

    let link: MessageLink
    let plane: Plane
    /// How long the peer may send nothing.
    var patience: Duration = .seconds(10)
    /// After how much silence pieces are asked for again.
    var repetition: Duration = .seconds(2)

    /// All bytes of what has this hash by ``HashList``; compared with it.
    ///
    /// - Parameter whenAsked: is called once no piece is left to ask for, again when some are asked for again.
    /// - Returns: the pieces as they came, in order: to join them would be one more copy.
    func pieces(
        of hash: ContentHash,
        byteCount: Int,
        whenAsked: () -> Void = {}
    ) async throws -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        try await fetch(all: hash, byteCount: byteCount, whenAsked: whenAsked) { pieces.add($0) }
        return pieces
    }

    /// The same, joined.
    func bytes(of hash: ContentHash, byteCount: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(byteCount, 1 << 30))
        try await fetch(all: hash, byteCount: byteCount) { bytes += $0 }
        return bytes
    }

    private func fetch(
        all hash: ContentHash,
        byteCount: Int,
        whenAsked: () -> Void = {},
        take: (_ piece: [UInt8]) -> Void
    ) async throws {
        var list = HashList()
        try await fetch(0..<byteCount, of: hash, byteCount: byteCount, whenAsked: whenAsked) { piece in
            list.update(piece)
            take(piece)
        }
        let actual = list.hash
        guard actual == hash else {
            throw NodeError.wrongBytes(
                peer: link.peer,
                subject: subject(hash),
                expected: "the hash \(hash.abbreviated)",
                actual: actual.abbreviated
            )
        }
    }

    /// A part of the bytes that have this hash; the codec has compared each piece with its CRC-32C.
    func bytes(_ range: Range<Int>, of hash: ContentHash, byteCount: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(range.count, 1 << 30))
        try await fetch(range, of: hash, byteCount: byteCount) { bytes += $0 }
        return bytes
    }

    /// Fetches a part of the bytes that have this hash.
    ///
    /// - Parameters:
    ///   - whenAsked: is called once no piece is left to ask for, again when some are asked for again.
    ///   - take: is given each piece in order, while those after it are on their way.
    func fetch(
        _ range: Range<Int>,
        of hash: ContentHash,
        byteCount: Int,
        whenAsked: () -> Void = {},
        take: (_ piece: [UInt8]) -> Void
    ) async throws {
        var transfer = ChunkTransfer(range, window: plane.windowByteCount)
        var lastProgress = ContinuousClock.now
        try await ask(&transfer, of: hash, whenAsked)
        while !transfer.isComplete {
            switch try await link.next(within: repetition) {
            case .chunk(let chunk) where chunk.hash == hash:
                guard chunk.totalByteCount == byteCount else {
                    throw NodeError.wrongBytes(
                        peer: link.peer,
                        subject: subject(hash),
                        expected: "\(byteCount) bytes",
                        actual: "\(chunk.totalByteCount)"
                    )
                }
                guard transfer.receive(chunk.payload.count, at: chunk.offset) else { break }
                lastProgress = .now
                try await ask(&transfer, of: hash, whenAsked)
                take(chunk.payload)
            case .fetchError(let error) where error.hash == hash:
                throw NodeError.notServed(
                    peer: link.peer,
                    subject: subject(hash),
                    error.code,
                    error.text
                )
            case .some: break  // left over from a transfer that was given up
            case nil:
                transfer.rewind()
                try await ask(&transfer, of: hash, whenAsked)
            }
            if lastProgress.duration(to: .now) >= patience, !transfer.isComplete {
                throw NodeError.silent(peer: link.peer, subject: subject(hash), patience)
            }
        }
    }

    /// Asks for the pieces that the window has room for.
    private func ask(
        _ transfer: inout ChunkTransfer,
        of hash: ContentHash,
        _ whenAsked: () -> Void
    ) async throws {
        let pieces = transfer.requests()
        for piece in pieces { try await link.send(request(piece, of: hash)) }
        if !pieces.isEmpty, transfer.isAsked { whenAsked() }
    }

    private func subject(_ hash: ContentHash) -> String {
        switch plane {
        case .trajectories: "the trajectories \(hash.abbreviated)"
        case .checkpoints: "the file \(hash.abbreviated)"
        case .ring: "the offer or share \(hash.abbreviated)"
        }
    }

    private func request(_ piece: Range<Int>, of hash: ContentHash) -> Message {
        switch plane {
        case .trajectories, .ring:
            .fetch(.init(hash: hash, offset: piece.lowerBound, creditByteCount: piece.count))
        case .checkpoints:
            .chunkRequest(.init(hash: hash, offset: piece.lowerBound, creditByteCount: piece.count))
        }
    }
}

extension [[UInt8]] {
    /// Adds a piece behind the others; a small one to the last, as an array of its own may take many times its bytes.
    mutating func add(_ piece: [UInt8]) {
        if let last = indices.last, piece.count < 64 << 10 {
            self[last] += piece
        } else {
            append(piece)
        }
    }
}
