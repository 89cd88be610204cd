import Checkpoints
import ClusterMessages
import Logging
import ZeroMQ

/// Fetches every announced checkpoint into the node's own store.
///
/// Pongs and the publisher's hints both tell of new ones; only the newest is fetched, and a download goes on where
/// a killed process stopped. What is here can be served to others.
struct CheckpointFollower: Sendable {
    /// What is here.
    let shelf = CheckpointShelf()
    private let network: NodeNetwork
    private let store: CheckpointStore
    private let log: Logger
    private let connection: CoordinatorConnection?
    private let hints = Inbox<Message.Announce>(limit: 64)
    /// How many rounds stay on the disk.
    private static let retention = RetentionPolicy(keepingLast: 3, every: 10)
    private static let retryDelay = Duration.seconds(5)

    /// - Parameter connection: over which the coordinator is told of what is here; nil on a node that serves nothing.
    init(
        folder: String,
        network: NodeNetwork,
        log: Logger,
        connection: CoordinatorConnection? = nil
    ) throws {
        self.network = network
        self.log = log
        self.connection = connection
        store = try CheckpointStore(folder: folder)
        try shelf.serve(store)
    }

    /// Says that there is a checkpoint.
    func announce(_ round: RoundNumber, _ manifest: ContentHash) {
        hints.deliver(Message.Announce(round: round, manifestHash: manifest))
    }

    /// Nothing will be announced any more: fetches what is still to be fetched, and ends.
    func finish() { hints.finish() }

    /// Follows until ``finish()``, or until the task is cancelled.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await listen() }
            group.addTask { try await follow() }
            try await group.endWithFirst()
        }
    }

    private func follow() async throws {
        var newest = RoundNumber(try store.rounds().last ?? 0)
        while !hints.isExhausted {
            guard var hint = try await hints.next(within: .seconds(60)) else { continue }
            while let later = try await hints.next(within: .zero) {
                hint = later.round > hint.round ? later : hint
            }
            if (try? forget(contradicting: hint)) ?? false {
                newest = RoundNumber(try store.rounds().last ?? 0)
            }
            guard hint.round > newest, let session = network.signature.session else { continue }
            do {
                try await fetch(hint, in: session)
                newest = hint.round
                _ = try store.prune(Self.retention)
                try shelf.serve(store)
                if let newest = shelf.newest { connection?.post(.announce(newest)) }
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                // The coordinator is away, or keeps a newer one by now, or the disk is full; every pong asks again.
                log.warning("the checkpoint of round \(hint.round) is not here: \(error)")
                try await Task.sleep(for: Self.retryDelay)
            }
        }
    }

    /// Drops what is here of rounds that a person took back since: the same round has another checkpoint now.
    private func forget(contradicting hint: Message.Announce) throws -> Bool {
        let round = hint.round.rawValue
        guard try store.rounds().contains(round),
            ContentHash(try store.checkpoint(ofRound: round).manifestHash) != hint.manifestHash
        else { return false }
        log.warning("round \(round) was taken back and done again: what is here from it on is dropped")
        for later in try store.rounds() where later >= round { try store.remove(round: later) }
        try shelf.serve(store)
        return true
    }

    /// Hears the publisher's hints; one that moved is not looked for, because pongs tell the same.
    private func listen() async throws {
        while network.signature.session == nil { try await Task.sleep(for: .seconds(1)) }
        guard let welcome = network.signature.session?.welcome else { return }
        let channel = try await network.connect(
            .subscriber,
            to: welcome.announcementEndpoint,
            serverKey: try welcome.serverPublicKey.map { key throws(ZeroMQError) in try CurvePublicKey(key) }
        )
        try await channel.subscribe()
        for await received in channel.messages {
            guard case .announce(let hint)? = try? MessageCodec.decode(frames: received.frames).message else {
                continue
            }
            hints.deliver(hint)
        }
        await channel.close()
    }

    private func fetch(_ hint: Message.Announce, in session: NodeSession) async throws {
        _ = try await network.withLink(
            to: session.welcome.checkpointEndpoint,
            serverKey: session.welcome.serverPublicKey,
            peer: "the coordinator's checkpoints"
        ) { link in
            let download = CheckpointDownload(link: link, network: network, store: store)
            let beginning = try await download.begin(.hash(hint.manifestHash))
            let (here, others) = (beginning.staged.progress, beginning.holders.count)
            log.info("fetches the checkpoint of \(here) are here, \(others) others have it")
            return try await download.complete(beginning)
        }
    }
}
