import Checkpoints
import ClusterMessages
import ZeroMQ

/// The checkpoint plane: manifests and chunks of files for whoever is let in, and hints of new ones.
actor CheckpointDesk {
    private let channel: Channel
    private let publisher: Channel
    /// Knows who else has a checkpoint.
    private let control: ControlDesk
    private let doorman: Doorman
    private let letterhead: Letterhead
    private var files = ChunkSource()
    private var checkpoints: [StoredCheckpoint] = []

    init(
        channel: Channel,
        publisher: Channel,
        control: ControlDesk,
        doorman: Doorman,
        letterhead: Letterhead
    ) {
        self.channel = channel
        self.publisher = publisher
        self.control = control
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
        case .manifestRequest(let request): await sendManifest(request, to: visit)
        case .chunkRequest(let request):
            for answer in files.answers(to: request) { await send(answer, to: visit.peer) }
        default:
            let trespass = doorman.misplaced(visit, on: "checkpoint")
            await refuse(nil, .auth, trespass.text, to: visit.peer)
        }
    }

    private func sendManifest(_ request: Message.ManifestRequest, to visit: Visit) async {
        let found = checkpoints.first { checkpoint in
            switch request {
            case .round(let round): checkpoint.round == round.rawValue
            case .hash(let hash): ContentHash(checkpoint.manifestHash) == hash
            }
        }
        guard let found else {
            var hash: ContentHash?
            if case .hash(let wanted) = request { hash = wanted }
            return await refuse(hash, .notFound, "there is no such checkpoint any more", to: visit.peer)
        }
        let hash = ContentHash(found.manifestHash)
        let manifest = Message.Manifest(
            round: RoundNumber(found.round),
            hash: hash,
            payload: found.manifestBytes,
            // Nobody but trainers is let in by those who serve trajectories.
            holders: visit.role == .trainer ? await control.holders(of: hash) : []
        )
        await send(.manifest(manifest), to: visit.peer)
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
