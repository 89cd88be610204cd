import ClusterMessages
import ZeroMQ

/// Bytes that a node holds for others, cut as they are asked for.
protocol HeldBytes: Sendable {
    var byteCount: Int { get }
    /// Bytes from a position on: all of `range`, or fewer where that saves a copy; at least one.
    func piece(in range: Range<Int>) -> [UInt8]
}

/// What a node holds for others, by hash.
protocol HeldByHash: Sendable {
    /// What has this hash; nil when it is not, or no longer, here.
    func holding(_ hash: ContentHash) -> (any HeldBytes)?
}

/// Serves what a node holds, and the checkpoints it has, to the peers its authenticator allows, chunk by chunk as they
/// ask.
struct PeerServer: Sendable {
    /// The most bytes one request is answered with, whatever credit it states.
    private static let creditLimit = 4 << 20

    let channel: Channel
    /// Where others reach it.
    let endpoint: String
    /// The ZAP domain.
    let domain: String
    /// Nil when insecure.
    let authenticator: Authenticator?
    let shelf: any HeldByHash
    let checkpoints: CheckpointShelf
    let signature: NodeSignature
    let meter: WorkMeter
    /// Passed whenever something is about to be sent.
    let crashPoint: CrashPoint

    /// Binds a node's socket and proves that it is guarded; nobody is let in yet.
    ///
    /// - Parameter domain: the ZAP domain.
    static func open(
        _ options: WorkerOptions,
        on network: NodeNetwork,
        domain: String,
        shelf: any HeldByHash,
        checkpoints: CheckpointShelf = CheckpointShelf(),
        meter: WorkMeter,
        passing crashPoint: CrashPoint
    ) async throws -> PeerServer {
        let authenticator = options.isInsecure ? nil : try Authenticator(in: network.context)
        let channel = try Channel(
            .router,
            in: network.context,
            on: network.thread,
            security: network.server(domain: domain),
            settings: .server(
                peerRate: .transfer,
                sendHighWaterMark: ChannelSettings.transferHighWaterMark
            )
        )
        let isLocal = ["127.0.0.1", "localhost"].contains(options.advertiseHost)
        let host = options.servingHost ?? (isLocal ? "127.0.0.1" : "0.0.0.0")
        let wanted = options.servingPort == 0 ? "*" : String(options.servingPort)
        let bound = try await channel.bind(to: "tcp://\(host):\(wanted)")
        let port = bound.split(separator: ":").last.map(String.init) ?? ""
        if let authenticator {
            try await authenticator.selfProbe(
                endpoint: "tcp://\(host == "0.0.0.0" ? "127.0.0.1" : host):\(port)",
                serverKey: options.keys.publicKey,
                domain: domain
            )
        }
        return PeerServer(
            channel: channel,
            endpoint: "tcp://\(options.advertiseHost):\(port)",
            domain: domain,
            authenticator: authenticator,
            shelf: shelf,
            checkpoints: checkpoints,
            signature: network.signature,
            meter: meter,
            crashPoint: crashPoint
        )
    }

    /// Serves the peers of these keys, and ends the connections of others.
    func allow(_ keys: Set<CurvePublicKey>) async {
        guard let authenticator, keys != authenticator.allowedKeys(domain: domain) else { return }
        authenticator.setAllowed(keys, domain: domain)
        await channel.expel(allBut: keys)
    }

    /// Answers until the channel is closed or the task cancelled.
    func run() async {
        var sequence: UInt64 = 0
        for await received in channel.messages {
            guard let peer = received.peer, isAllowed(received.userID) else { continue }
            guard let request = try? MessageCodec.decode(frames: received.frames).message else { continue }
            let start = ContinuousClock.now
            for answer in answers(to: request) {
                sequence += 1
                if case .fetch = request { reached(crashPoint) }
                do {
                    let header = signature.header(sequence: sequence)
                    try await channel.send(MessageCodec.encode(answer, header: header), to: peer)
                } catch {
                    break  // The peer is gone, or too slow: it asks again.
                }
                meter.progressed()
            }
            meter.add(start.duration(to: .now), to: .exchanging)
        }
    }

    /// A key that was revoked is not served any more, even before its connection ends.
    private func isAllowed(_ key: CurvePublicKey?) -> Bool {
        guard let authenticator else { return true }
        return key.map { authenticator.isAllowed($0, domain: domain) } ?? false
    }

    private func answers(to request: Message) -> [Message] {
        switch request {
        case .fetch(let fetch): answers(to: fetch)
        case .chunkRequest(let request): checkpoints.answers(to: request)
        default: []
        }
    }

    private func answers(to fetch: Message.Fetch) -> [Message] {
        guard let held = shelf.holding(fetch.hash) else {
            let text = "these bytes are not, or no longer, here"
            return [.fetchError(.init(hash: fetch.hash, code: .notFound, text: text))]
        }
        guard fetch.offset >= 0, fetch.offset < held.byteCount else {
            let text = "byte \(fetch.offset) of \(held.byteCount)"
            return [.fetchError(.init(hash: fetch.hash, code: .tooLarge, text: text))]
        }
        let credit = min(max(1, fetch.creditByteCount), Self.creditLimit)
        let end = min(held.byteCount, fetch.offset + credit)
        var answers: [Message] = []
        var start = fetch.offset
        while start < end {
            let payload = held.piece(in: start..<end)
            answers.append(
                .chunk(
                    .init(hash: fetch.hash, offset: start, totalByteCount: held.byteCount, payload: payload)
                )
            )
            start += payload.count
        }
        return answers
    }
}
