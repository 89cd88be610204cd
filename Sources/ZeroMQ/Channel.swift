import CZeroMQ
import Synchronization

/// One socket, the messages that come in on it and the way to send some.
///
/// It runs on the ``SocketThread`` it is given, which holds it until ``close(linger:)`` or until its context
/// is terminated. Sending never waits for the network.
package actor Channel {
    package nonisolated let kind: ChannelKind
    /// What comes in, in each peer's order, until the channel is closed.
    ///
    /// One task reads it; cancelling that task ends it for good. While nobody reads, at most
    /// `ChannelSettings.inbox` piles up.
    package nonisolated let messages: AsyncStream<ReceivedMessage>
    /// What went through so far.
    package private(set) var counters = ChannelCounters()

    private let thread: SocketThread
    private let context: Context
    private let security: SocketSecurity
    private let limit: MessageLimit
    private let mailbox: Mailbox
    private var socket: Socket
    private var outbox: BoundedQueue<[[UInt8]]>
    private var rates: PeerRates?
    private var connections: OpenConnections?
    private var monitor: ConnectionMonitor?
    private var connectionsLookedAt = ContinuousClock.now
    private var expulsion: Expulsion?
    private var isReading = false
    private nonisolated let posted = Mutex<[(frames: [[UInt8]], peer: RoutingID)]>([])

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    /// Opens a socket that is neither bound nor connected yet.
    package init(
        _ kind: ChannelKind,
        in context: Context,
        on thread: SocketThread,
        security: SocketSecurity,
        settings: ChannelSettings = ChannelSettings()
    ) throws(ZeroMQError) {
        let socket = try Socket(kind.code, in: context)
        try settings.apply(to: socket, kind: kind)
        try security.apply(to: socket)
        let mailbox = Mailbox(limit: settings.inbox, wakeup: thread.loop.wakeup)
        self.kind = kind
        self.thread = thread
        self.context = context
        self.security = security
        self.socket = socket
        self.mailbox = mailbox
        limit = MessageLimit(
            frameCount: settings.frameCountLimit + (kind == .router ? 1 : 0),
            frameByteCount: settings.frameByteLimit,
            // A routing id has at most 255 bytes.
            byteCount: settings.messageByteLimit + (kind == .router ? 255 : 0)
        )
        rates = settings.peerRate.map(PeerRates.init)
        connections = settings.connectionLimit.map(OpenConnections.init)
        outbox = BoundedQueue(limit: settings.outbox)
        messages = AsyncStream {
            await mailbox.next()
        } onCancel: {
            mailbox.abandon()
        }
        thread.loop.add(self)
    }

    /// Waits for peers at an endpoint such as `tcp://0.0.0.0:7000`, `tcp://127.0.0.1:*` or `ipc:///run/x`.
    ///
    /// - Returns: the endpoint with the port the system chose.
    @discardableResult
    package func bind(to endpoint: String) throws(ZeroMQError) -> String {
        try security.check(endpoint, in: context)
        if connections != nil, monitor == nil { monitor = try ConnectionMonitor(of: socket, in: context) }
        return try socket.bind(to: endpoint)
    }

    /// Connects now or as soon as somebody is there, and again whenever the connection is lost.
    package func connect(to endpoint: String) throws(ZeroMQError) {
        try security.check(endpoint, in: context)
        try socket.connect(to: endpoint)
    }

    /// Hears the messages whose first frame begins with `prefix`; all of them when it is empty.
    package func subscribe(to prefix: [UInt8] = []) throws(ZeroMQError) {
        precondition(kind == .subscriber, "a \(kind) has no subscriptions")
        try socket.set(ZMQ_SUBSCRIBE, to: prefix)
    }

    /// Sends to one peer of a ROUTER; throws `peerUnreachable` or `wouldBlock` when it cannot be sent now.
    package func send(_ frames: [[UInt8]], to peer: RoutingID) throws(ZeroMQError) {
        precondition(kind == .router, "a \(kind) does not address its peers")
        precondition(!frames.isEmpty, "a message has at least one frame")
        switch try socket.send([peer.bytes] + frames) {
        case .taken: counters.sent(frames)
        case .noRoom: throw .wouldBlock(peer)
        case .unreachable: throw .peerUnreachable(peer)
        }
    }

    /// Sends to one peer of a ROUTER in the order of the calls, as soon as the socket's thread gets to it.
    ///
    /// Nobody waits for anybody, so that many messages take one turn of the thread; one that cannot be sent then is
    /// lost.
    package nonisolated func post(_ frames: [[UInt8]], to peer: RoutingID) {
        let isFirst = posted.withLock { posted in
            posted.append((frames, peer))
            return posted.count == 1
        }
        if isFirst { thread.loop.wakeup.signal() }
    }

    /// Sends to the peer of a DEALER or to the subscribers of a publisher.
    ///
    /// What a DEALER cannot send yet waits in its outbox; throws `outboxFull` when that is full. What is too
    /// much for a subscriber of a publisher is lost.
    package func send(_ frames: [[UInt8]]) throws(ZeroMQError) {
        precondition(kind == .dealer || kind == .publisher, "a \(kind) sends to no one in particular")
        precondition(!frames.isEmpty, "a message has at least one frame")
        guard !socket.isClosed else { throw .closed }
        // Who subscribed meanwhile and is not to hear this is cut off first.
        if kind == .publisher { try drain() }
        if outbox.isEmpty, case .taken = try socket.send(frames) { return counters.sent(frames) }
        guard !outbox.isFull else { throw .outboxFull(outbox.limit) }
        outbox.append(frames, byteCount: frames.reduce(0) { $0 + $1.count })
    }

    /// Ends the connections of all other keys than these, and of any that shows itself later.
    ///
    /// libzmq asks for a key once, when a connection begins, and goes on with it when the key is revoked.
    /// - Parameter grace: how long they stay, to hear why.
    package func expel(allBut keys: Set<CurvePublicKey>, after grace: Duration = .zero) {
        expulsion = Expulsion(keys: keys, due: .now + grace)
        readMonitor()
        expelStrangers()
    }

    /// Messages of a DEALER that wait for a connection or for room in it.
    package var waitingCount: Int { outbox.count }

    /// Closes the socket and ends ``messages``; what libzmq has not sent yet gets `linger` to leave.
    package func close(linger: Duration = .zero) {
        readMonitor()
        monitor?.stop(socket)
        monitor = nil
        socket.close(linger: linger)
        outbox.removeAll()
        mailbox.finish()
    }
}

// What the socket thread asks and does.
extension Channel {
    /// Messages taken in one turn; then the other channels and the jobs have theirs.
    private static let turnMessageCount = 32
    private static let turnByteCount = 4 << 20

    var isClosed: Bool { socket.isClosed }
    var handle: SocketHandle { socket.handle }
    /// The monitor's socket, to be polled beside the channel's own.
    var monitorHandle: SocketHandle? { monitor?.handle }
    /// How long the thread may sleep although nothing happens; `nil` for ever.
    var patience: Duration? { connections.map { $0.count > 0 } == true ? Self.lookInterval : nil }

    /// The poll events that would bring work now.
    func awaitedEvents() -> Int16 {
        // Asking for errors, which libzmq never reports, lets a shutdown end the poll while nothing else is
        // awaited.
        var events = ZMQ_POLLERR
        isReading = mailbox.hasRoom()
        if isReading { events |= ZMQ_POLLIN }
        if !outbox.isEmpty { events |= ZMQ_POLLOUT }
        return Int16(events)
    }

    /// Sends what was posted since the last turn.
    func sendPosted() {
        let messages = posted.withLock { posted in
            defer { posted = [] }
            return posted
        }
        for message in messages { try? send(message.frames, to: message.peer) }
    }

    func serve(events: Int16) {
        do {
            if Int32(events) & ZMQ_POLLOUT != 0 { try flush() }
            if Int32(events) & ZMQ_POLLIN != 0 { try drain() }
        } catch {
            // Only a shutdown ends a receive or a send to no one in particular.
            close()
        }
    }

    func closeIfShutDown() {
        if socket.isShutDown { close() }
    }

    private func flush() throws(ZeroMQError) {
        while let frames = outbox.first, case .taken = try socket.send(frames) {
            _ = outbox.popFirst()
            counters.sent(frames)
        }
    }

    private func drain() throws(ZeroMQError) {
        var byteCount = 0
        readMonitor()
        for _ in 0..<Self.turnMessageCount {
            guard byteCount < Self.turnByteCount, mailbox.hasRoom() else { return }
            guard let reception = try socket.receive(limit) else { return }
            // A subscriber may say one thing in its life: its connection must be known by then.
            if kind == .publisher { readMonitor() }
            let key = reception.userID.map(CurvePublicKey.init(stated:))
            connections?.finishedMessage(reception.source, from: key)
            if let key, let expulsion, expulsion.isDue, !expulsion.keys.contains(key) {
                end(reception.source)
                continue
            }
            switch reception.content {
            case .message(let frames):
                guard let message = ReceivedMessage(frames, from: key, kind: kind) else { continue }
                byteCount += message.byteCount
                guard rates?.admits(PeerRates.Peer(message), now: .now) ?? true else {
                    counters.droppedForRate += 1
                    // libzmq has kept the subscription already.
                    if kind == .publisher { end(reception.source) }
                    continue
                }
                // Of a subscription, which libzmq obeys, nobody else need hear.
                guard kind != .publisher else { continue }
                counters.received(message)
                mailbox.deliver(message)
            case .tooManyFrames: counters.droppedForFrameCount += 1
            case .oversizeFrame: counters.droppedForFrameSize += 1
            case .oversizeMessage: counters.droppedForMessageSize += 1
            }
        }
    }
}

// Who is connected.
extension Channel {
    /// Between two looks at what the connections have sent.
    private static let lookInterval: Duration = .milliseconds(200)

    /// Takes what libzmq tells about connections; one too many is cut.
    func readMonitor() {
        // After a shutdown there is nothing to read any more.
        while let event = try? monitor?.next() {
            switch event {
            case .accepted(let descriptor):
                counters.acceptedConnectionCount += 1
                if connections?.opened(descriptor) == false { end(descriptor) }
            case .admitted:
                counters.admittedConnectionCount += 1
            case .ended(let descriptor):
                counters.endedConnectionCount += 1
                connections?.ended(descriptor)
            }
        }
    }

    /// Cuts the connections that send a message without end, if it is time to look for them.
    func lookAtConnections() {
        guard connections != nil, connectionsLookedAt.duration(to: .now) >= Self.lookInterval else { return }
        connectionsLookedAt = .now
        expelStrangers()
        let endless =
            connections?.takeEndless(isReading: isReading, receivedByteCount: receivedByteCount) ?? []
        for descriptor in endless { end(descriptor) }
    }

    private func expelStrangers() {
        guard let expulsion, expulsion.isDue, let connections else { return }
        for descriptor in connections.strangers(to: expulsion.keys) { end(descriptor) }
    }

    private func end(_ descriptor: Int32) {
        cut(descriptor)
        counters.cutConnectionCount += 1
    }
}

/// Whose connections stay, and from when on no others do.
private struct Expulsion {
    let keys: Set<CurvePublicKey>
    let due: ContinuousClock.Instant

    var isDue: Bool { .now >= due }
}

extension ReceivedMessage {
    /// Splits off a ROUTER's routing id; `nil` if nothing is left.
    fileprivate init?(_ frames: [[UInt8]], from key: CurvePublicKey?, kind: ChannelKind) {
        let isAddressed = kind == .router
        guard frames.count > (isAddressed ? 1 : 0) else { return nil }
        peer = isAddressed ? RoutingID(frames[0]) : nil
        self.frames = isAddressed ? Array(frames.dropFirst()) : frames
        userID = key
    }
}
