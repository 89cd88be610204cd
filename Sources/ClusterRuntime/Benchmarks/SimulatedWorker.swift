import ClusterMessages
import ZeroMQ

/// A worker that says all that a real one says to its coordinator, and computes nothing.
actor SimulatedWorker {
    private let role: Role
    private let name: String
    private let keys: CurveKeyPair
    private let context: Context
    private let thread: SocketThread
    private let facts: SwarmFacts
    private let incarnation = Incarnation.random()
    private weak var swarm: Swarm?
    private var control: Channel?
    private var averaging: Channel?
    private var tasks: [Task<Void, any Error>] = []
    private var welcome: Message.Welcome?
    private var runID = ""
    private var sequences = (control: UInt64(0), averaging: UInt64(0))
    private var progress = 0
    /// Since when there has been room for a lease.
    private var roomSince: ContinuousClock.Instant?

    // A trainer's round.
    private var loaded: (round: RoundNumber, hash: ContentHash)?
    private var round: RoundNumber?
    private var assignments: [Message.Assign] = []
    private var used: Set<BatchID> = []
    private var offered: (message: Message.Offer, bytes: [String: [UInt8]])?

    init(
        _ role: Role,
        name: String,
        keys: CurveKeyPair,
        context: Context,
        thread: SocketThread,
        facts: SwarmFacts
    ) {
        self.role = role
        self.name = name
        self.keys = keys
        self.context = context
        self.thread = thread
        self.facts = facts
    }

    /// Connects and says hello.
    func start(in swarm: Swarm) async throws {
        self.swarm = swarm
        let channel = try await connect(to: facts.endpoint)
        control = channel
        tasks.append(Task { for await message in channel.messages { try await self.receive(message) } })
        tasks.append(Task { try await self.keepPinging() })
        try await sayHello()
    }

    /// Ends all it does; the sockets end with their context.
    func stop() {
        for task in tasks { task.cancel() }
        tasks = []
    }

    private func connect(to endpoint: String) async throws -> Channel {
        guard let serverKey = facts.serverKey else {
            throw NodeError.missing("the coordinator's key", expected: "a benchmark's coordinator has one")
        }
        let security = SocketSecurity.curveClient(keys, serverKey: serverKey)
        let channel = try Channel(.dealer, in: context, on: thread, security: security)
        try await channel.connect(to: endpoint)
        return channel
    }

    // MARK: What it says

    private func sayHello() async throws {
        let isRollout = role == .rollout
        try await say(
            .hello(
                Message.Hello(
                    role: role,
                    name: name,
                    protocolVersions: MessageHeader.supportedVersions,
                    build: "benchmark",
                    teacherHash: facts.teacher,
                    trajectoriesEndpoint: isRollout ? "tcp://127.0.0.1:9" : nil,
                    trajectoriesPublicKey: isRollout ? keys.publicKey.text : nil,
                    batchCapacity: 1,
                    heldLeases: [],
                    heldTrajectories: [],
                    round: loaded?.round ?? .initial,
                    parameterHash: loaded?.hash
                )
            )
        )
    }

    private func say(_ message: Message) async throws {
        sequences.control += 1
        let frames = try MessageCodec.encode(message, header: header(sequences.control))
        try await control?.send(frames)
    }

    private func sayOnAveraging(_ message: Message) async throws {
        sequences.averaging += 1
        let frames = try MessageCodec.encode(message, header: header(sequences.averaging))
        try await averaging?.send(frames)
    }

    private func header(_ sequence: UInt64) -> MessageHeader {
        MessageHeader(
            runID: runID,
            sender: welcome?.node ?? .coordinator,
            token: welcome?.token ?? SessionToken(0),
            incarnation: incarnation,
            epoch: 0,
            sequence: sequence
        )
    }

    private func keepPinging() async throws {
        // Not all at the same moment.
        try await Task.sleep(for: .milliseconds(Int.random(in: 0..<1000)))
        while true {
            if let welcome {
                progress += 1
                try await say(
                    .ping(
                        Message.Ping(
                            progress: progress,
                            heldByteCount: 0,
                            activity: "is simulated",
                            computeTime: .zero,
                            waitTime: .zero,
                            wireTime: .zero,
                            peakMemoryByteCount: 0
                        )
                    )
                )
                try await Task.sleep(for: welcome.pingInterval)
            } else {
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    // MARK: What it hears

    private func receive(_ received: ReceivedMessage) async throws {
        let (header, message) = try MessageCodec.decode(frames: received.frames)
        switch message {
        case .welcome(let welcome): try await welcomed(welcome, runID: header.runID)
        case .lease(let lease): try await produce(lease)
        case .assign(let assignment):
            if !used.contains(assignment.batch) { assignments.append(assignment) }
            try await train()
        case .roundOpen(let open):
            if round != open.round {
                (round, used, offered) = (open.round, [], nil)
            }
            try await train()
        case .roundCommitted(let committed): try await follow(committed)
        case .refuse:
            swarm?.count { $0.refusals += 1 }
            try await Task.sleep(for: .milliseconds(500))
            try await sayHello()
        default: break
        }
    }

    private func welcomed(_ welcome: Message.Welcome, runID: String) async throws {
        let isFirst = self.welcome == nil
        self.welcome = welcome
        self.runID = runID
        if isFirst { swarm?.count { $0.welcomes += 1 } }
        roomSince = .now
        // A trainer is given two batches, a rollout one: each of its leases waits for the one before.
        let credit = Message.WorkCredit(batchCount: role == .trainer ? 2 : 1, byteCount: 1 << 40)
        try await say(.workCredit(credit))
        guard role == .trainer, let hash = welcome.parameterHash else { return }
        assignments = []
        if averaging == nil {
            let channel = try await connect(to: welcome.averagingEndpoint)
            averaging = channel
            tasks.append(
                Task { for await message in channel.messages { try await self.receiveOffering(message) } }
            )
        }
        guard loaded?.round != welcome.latestRound else { return }
        loaded = (welcome.latestRound, hash)
        try await sayHello()
    }

    // MARK: As a rollout

    private func produce(_ lease: Message.Lease) async throws {
        let waited = roomSince?.duration(to: .now).inSeconds
        swarm?.count { tally in
            tally.leases += 1
            if let waited { tally.latencies.append(waited) }
        }
        roomSince = nil
        guard let time = swarm?.timeForBatch, time > .zero else { return try await deliver(lease) }
        Task {
            // Rollouts that began together do not stay together.
            try await Task.sleep(for: time * Double.random(in: 0.8...1.2))
            try await self.deliver(lease)
        }
    }

    private func deliver(_ lease: Message.Lease) async throws {
        progress += 1
        roomSince = .now
        try await say(
            .trajectoryReady(
                Message.TrajectoryReady(
                    batch: lease.batch,
                    fence: lease.fence,
                    hash: facts.trajectoryHash(of: lease.batch),
                    byteCount: 1 << 20,
                    teacherEvaluationCount: 1,
                    elapsed: .milliseconds(1)
                )
            )
        )
    }

    // MARK: As a trainer

    private func train() async throws {
        guard let round, offered == nil else { return }
        while used.count < facts.batchesPerRound, !assignments.isEmpty {
            let assignment = assignments.removeFirst()
            guard used.insert(assignment.batch).inserted else { continue }
            progress += 1
            try await say(
                .consumed(
                    Message.Consumed(
                        batch: assignment.batch,
                        hash: assignment.hash,
                        round: round,
                        localStep: used.count - 1,
                        sampleCount: facts.batchSamples,
                        useCount: 1
                    )
                )
            )
        }
        guard used.count == facts.batchesPerRound, let base = loaded?.round else { return }
        let offer = facts.offer(in: round, base: base, samples: used.count * facts.batchSamples)
        offered = offer
        try await sayOnAveraging(.offer(offer.message))
    }

    private func receiveOffering(_ received: ReceivedMessage) async throws {
        switch try MessageCodec.decode(frames: received.frames).message {
        case .offerAccepted(let accepted):
            guard !accepted.isComplete, let bytes = offered?.bytes[accepted.segment] else { return }
            let end = min(bytes.count, accepted.nextOffset + accepted.creditByteCount)
            for start in stride(from: accepted.nextOffset, to: end, by: ChunkTransfer.pieceByteCount) {
                let fragment = Message.OfferFragment(
                    round: accepted.round,
                    segment: accepted.segment,
                    offset: start,
                    payload: Array(bytes[start..<min(end, start + ChunkTransfer.pieceByteCount)])
                )
                try await sayOnAveraging(.offerFragment(fragment))
            }
        case .roundError:
            swarm?.count { $0.refusals += 1 }
            // The coordinator counts uses in another order than it hears of offers: it is asked again.
            try await Task.sleep(for: .milliseconds(50))
            if let offered { try await sayOnAveraging(.offer(offered.message)) }
        default: break
        }
    }

    private func follow(_ committed: Message.RoundCommitted) async throws {
        guard role == .trainer else { return }
        let count = used.count
        let isFirst = loaded.map { $0.round < committed.round } ?? true
        guard isFirst else { return }
        swarm?.count { tally in
            tally.committedBatches += count
            if self.name == "w0" { tally.rounds += 1 }
        }
        loaded = (committed.round, committed.parameterHash)
        round = nil
        offered = nil
        assignments = []
        try await sayHello()
    }
}
