import ClusterMessages
import ZeroMQ

/// A peer with a trainer's key that asks a rollout and the coordinator for bytes again and again, and reads none.
actor SilentReader {
    /// Requests sent to each.
    private static let requestCount = 400
    private static let requestByteCount = 4 << 20

    private let network: NodeNetwork
    private let address: CoordinatorAddress
    private let control: MessageLink
    private var welcome: Message.Welcome?
    private var assignment: Message.Assign?
    private var pinging: Task<Void, any Error>?
    private var channels: [Channel] = []
    /// Bytes it asked of each.
    private(set) var askedByteCount = 0

    init(keys: CurveKeyPair, address: CoordinatorAddress) async throws {
        network = try NodeNetwork(name: "reader", keys: keys, isInsecure: false)
        self.address = address
        control = try await network.link(
            to: address.control,
            serverKey: address.publicKey,
            peer: "the coordinator"
        )
    }

    /// Becomes a trainer, and waits until a rollout's batch is assigned to it.
    func join() async throws {
        try await sayHello()
        let ping = Message.Ping(
            progress: 0,
            heldByteCount: 0,
            activity: "reads nothing",
            computeTime: .zero,
            waitTime: .zero,
            wireTime: .zero,
            peakMemoryByteCount: 0
        )
        assignment = try await awaited("batch for the reader", seconds: 60) {
            switch try await control.next(within: .seconds(1)) {
            case .welcome(let welcome): try await welcomed(welcome)
            case .roundCommitted(let committed): try await sayHello(committed.round, committed.parameterHash)
            case .assign(let assignment): return assignment
            default: break
            }
            if welcome != nil { try await control.send(.ping(ping)) }
            return nil
        }
        pinging = Task { [control] in
            while true {
                try await control.send(.ping(ping))
                _ = try await control.next(within: .milliseconds(200))
            }
        }
    }

    private func welcomed(_ welcome: Message.Welcome) async throws {
        let former = self.welcome
        self.welcome = welcome
        network.signature.session = NodeSession(
            coordinator: .random(),
            runID: address.runID,
            welcome: welcome,
            epoch: 0
        )
        try await control.send(.workCredit(.init(batchCount: 2, byteCount: 1 << 40)))
        if former == nil, let hash = welcome.parameterHash { try await sayHello(welcome.latestRound, hash) }
    }

    private func sayHello(_ round: RoundNumber = .initial, _ parameters: ContentHash? = nil) async throws {
        let hello = Message.Hello(
            role: .trainer,
            name: "reader",
            protocolVersions: MessageHeader.supportedVersions,
            build: "benchmark",
            teacherHash: nil,
            trajectoriesEndpoint: nil,
            trajectoriesPublicKey: nil,
            batchCapacity: 1,
            heldLeases: [],
            heldTrajectories: [],
            round: round,
            parameterHash: parameters
        )
        try await control.send(.hello(hello))
    }

    /// Asks for the batch and for the discriminator's parameters, far more often than anybody needs them.
    func ask() async throws {
        guard let welcome, let assignment else { return }
        let fetch = Message.Fetch(
            hash: assignment.hash,
            offset: 0,
            creditByteCount: Self.requestByteCount
        )
        try await flood(assignment.holderEndpoint, assignment.holderPublicKey, with: .fetch(fetch))
        let request = Message.ParameterRequest(
            round: welcome.latestRound,
            segment: StateSegment.discriminator.rawValue,
            offset: 0,
            creditByteCount: Self.requestByteCount
        )
        try await flood(
            welcome.averagingEndpoint,
            welcome.serverPublicKey,
            with: .parameterRequest(request)
        )
        askedByteCount = Self.requestCount * Self.requestByteCount
    }

    private func flood(_ endpoint: String, _ serverKey: String?, with request: Message) async throws {
        let one = QueueLimit(messageCount: 1, byteCount: 1)
        let channel = try await network.connect(
            .dealer,
            to: endpoint,
            serverKey: try serverKey.map { try CurvePublicKey($0) },
            // One message is taken, and nobody takes it from there.
            settings: ChannelSettings(receiveHighWaterMark: 1, inbox: one)
        )
        channels.append(channel)
        for number in 1...Self.requestCount {
            let header = network.signature.header(sequence: UInt64(number))
            let frames = try MessageCodec.encode(request, header: header)
            _ = try await awaited("room for a request", seconds: 10) {
                do throws(ZeroMQError) {
                    try await channel.send(frames)
                    return ()
                } catch {
                    guard case .outboxFull = error else { throw error }
                    return nil
                }
            }
        }
    }

    /// Says goodbye and closes everything.
    func leave() async {
        pinging?.cancel()
        try? await control.send(.goodbye(.init(reason: "has seen enough", returningLeases: [])))
        try? await Task.sleep(for: .milliseconds(300))
        await network.context.terminate()
    }
}
