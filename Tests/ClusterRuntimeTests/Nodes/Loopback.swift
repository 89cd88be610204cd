import ClusterMessages
import ZeroMQ

@testable import ClusterRuntime

/// A rollout's serving end and a trainer's fetching end on this machine, encrypted.
struct Loopback {
    let shelf = TrajectoryShelf()
    let checkpoints = CheckpointShelf()
    let network: NodeNetwork
    private let context: Context
    private let channel: Channel
    private let endpoint: String
    private let serverKey: CurvePublicKey
    private let serving: Task<Void, Never>

    /// - Parameter isAllowed: whether the rollout lets the trainer's key in.
    /// - Parameter trainer: the trainer's keys; nil makes some.
    init(isAllowed: Bool = true, trainer: CurveKeyPair? = nil) async throws {
        let serverKeys = try CurveKeyPair.generate()
        let clientKeys = try trainer ?? CurveKeyPair.generate()
        context = try Context()
        let authenticator = try Authenticator(
            in: context,
            allowed: ["trajectories": isAllowed ? [clientKeys.publicKey] : []]
        )
        channel = try Channel(
            .router,
            in: context,
            on: SocketThread(name: "test-rollout"),
            security: .curveServer(serverKeys, domain: "trajectories")
        )
        endpoint = try await channel.bind(to: "tcp://127.0.0.1:*")
        serverKey = serverKeys.publicKey
        let server = PeerServer(
            channel: channel,
            endpoint: endpoint,
            domain: "trajectories",
            authenticator: authenticator,
            shelf: shelf,
            checkpoints: checkpoints,
            signature: NodeSignature(),
            meter: WorkMeter(),
            crashPoint: .rolloutServingChunk
        )
        serving = Task { await server.run() }
        network = try NodeNetwork(
            WorkerOptions(
                role: .trainer,
                name: "trainer",
                coordinatorEndpoint: "tcp://127.0.0.1:1",
                coordinatorKey: serverKey,
                keys: clientKeys,
                runFolder: "/nowhere"
            )
        )
    }

    /// Puts bytes on the shelf under their hash, or under another.
    func hold(_ bytes: [UInt8], as hash: ContentHash, of batch: BatchID) {
        shelf.put(
            TrajectoryShelf.Item(
                batch: batch,
                fence: Fence(epoch: 1, attempt: 0),
                trajectories: SolvedTrajectories(hash: hash, bytes: bytes, evaluationCount: 1),
                elapsed: .seconds(1)
            )
        )
    }

    /// Where the rollout serves, as a coordinator would say.
    var holder: Message.Holder { Message.Holder(endpoint: endpoint, publicKey: serverKey.text) }

    /// The trainer's end, which does not wait long.
    func fetch() async throws -> ChunkFetch {
        let link = try await network.link(to: endpoint, serverKey: serverKey.text, peer: "rollout 1")
        return ChunkFetch(
            link: link,
            plane: .trajectories,
            patience: .milliseconds(600),
            repetition: .milliseconds(200)
        )
    }

    /// The rollout vanishes without a word.
    func vanish() async { await channel.close() }

    func end() async {
        serving.cancel()
        await network.context.terminate()
        await context.terminate()
    }
}

/// Runs a test between both ends.
func withLoopback(
    isAllowed: Bool = true,
    trainer: CurveKeyPair? = nil,
    _ body: (Loopback) async throws -> Void
) async throws {
    let loopback = try await Loopback(isAllowed: isAllowed, trainer: trainer)
    do {
        try await body(loopback)
    } catch {
        await loopback.end()
        throw error
    }
    await loopback.end()
}
