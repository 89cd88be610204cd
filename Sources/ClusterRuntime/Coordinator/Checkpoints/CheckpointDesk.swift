import Checkpoints
import ClusterMessages
import ZeroMQ

/// The checkpoint plane: manifests and chunks of files for whoever is let in, and hints of new ones.
actor CheckpointDesk {
    /// Bytes sent for one request at most.
    private static let replyByteCount = 8 << 20
    private static let chunkByteCount = 1 << 19

    private let channel: Channel
    private let publisher: Channel
    private let doorman: Doorman
    private let letterhead: Letterhead
    private var files = ChunkSource()
    private var checkpoints: [StoredCheckpoint] = []

    init(channel: Channel, publisher: Channel, doorman: Doorman, letterhead: Letterhead) {
        self.channel = channel
        self.publisher = publisher
        self.doorman = doorman
        self.letterhead = letterhead
    }

    /// Serves these checkpoints and no others from now on.
    func serve(_ checkpoints: [StoredCheckpoint]) throws(CheckpointError) {
        self.checkpoints = checkpoints
        for checkpoint in checkpoints { try files.add(checkpoint) }
        files.keepOnly(checkpoints)
    }

    /// Tells the subscribers of a new checkpoint; every pong repeats it.
    func publish(_ announcement: Message.Announce) async {
        guard let frames = try? letterhead.frames(.announce(announcement), epoch: 0) else { return }
        try? await publisher.send(frames)
    }

    /// A message came in on the checkpoint plane.
    func receive(_ received: ReceivedMessage) async {
        let visit: Visit
        do {
            visit = try doorman.inspect(received)
        } catch {
            guard let answer = error.answer, let peer = error.peer else { return }
            return await refuse(nil, answer.code, answer.text, to: peer)
        }
        switch visit.message {
        case .manifestRequest(let request): await sendManifest(request, to: visit.peer)
        case .chunkRequest(let request): await sendChunks(request, to: visit.peer)
        default:
            let trespass = doorman.misplaced(visit, on: "checkpoint")
            await refuse(nil, .auth, trespass.text, to: visit.peer)
        }
    }

    private func sendManifest(_ request: Message.ManifestRequest, to peer: RoutingID) async {
        let found = checkpoints.first { checkpoint in
            switch request {
            case .round(let round): checkpoint.round == round.rawValue
            case .hash(let hash): ContentHash(checkpoint.manifestHash) == hash
            }
        }
        guard let found else {
            var hash: ContentHash?
            if case .hash(let wanted) = request { hash = wanted }
            return await refuse(hash, .notFound, "there is no such checkpoint any more", to: peer)
        }
        let manifest = Message.Manifest(
            round: RoundNumber(found.round),
            hash: ContentHash(found.manifestHash),
            payload: found.manifestBytes
        )
        await send(.manifest(manifest), to: peer)
    }

    private func sendChunks(_ request: Message.ChunkRequest, to peer: RoutingID) async {
        let digest = ContentDigest(request.hash)
        guard let total = files.byteCount(of: digest) else {
            return await refuse(request.hash, .notFound, "no checkpoint has this file any more", to: peer)
        }
        let end = min(total, request.offset + min(request.creditByteCount, Self.replyByteCount))
        for start in stride(from: request.offset, to: end, by: Self.chunkByteCount) {
            let count = min(end - start, Self.chunkByteCount)
            guard let bytes = try? files.chunk(of: digest, at: start, byteCount: count) else { return }
            let chunk = Message.Chunk(
                hash: request.hash,
                offset: start,
                totalByteCount: total,
                payload: bytes
            )
            await send(.chunk(chunk), to: peer)
        }
    }

    private func refuse(_ hash: ContentHash?, _ code: ErrorCode, _ text: String, to peer: RoutingID) async {
        await send(.fetchError(Message.FetchError(hash: hash, code: code, text: text)), to: peer)
    }

    /// A message that cannot be sent now is lost: whoever waits for it asks again.
    private func send(_ message: Message, to peer: RoutingID) async {
        guard let frames = try? letterhead.frames(message, epoch: 0) else { return }
        try? await channel.send(frames, to: peer)
    }
}
