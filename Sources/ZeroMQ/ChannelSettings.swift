import CZeroMQ

/// The part a channel plays in its conversation.
package enum ChannelKind: Sendable {
    /// Talks to many peers, each by its routing id.
    case router
    /// Talks to the one peer it connects to.
    case dealer
    /// Tells everybody who subscribed, and loses what they are too slow for.
    case publisher
    /// Hears what it subscribed to.
    case subscriber

    var code: Int32 {
        switch self {
        case .router: ZMQ_ROUTER
        case .dealer: ZMQ_DEALER
        // A PUB that tells who subscribes, and so whose connection is whose.
        case .publisher: ZMQ_XPUB
        case .subscriber: ZMQ_SUB
        }
    }
}

/// The bounds of a channel; nothing in it is without one.
package struct ChannelSettings: Sendable {
    /// Whole messages libzmq queues for each peer on the way out.
    package var sendHighWaterMark: Int
    /// Whole messages libzmq queues from each peer on the way in.
    package var receiveHighWaterMark: Int
    /// Bytes of one frame; a message with a longer frame is dropped, or its connection ended by libzmq.
    package var frameByteLimit: Int
    /// Frames of one message apart from the routing id; longer messages are dropped.
    package var frameCountLimit: Int
    /// Bytes of all frames of one message; longer messages are dropped.
    package var messageByteLimit: Int
    /// How many messages a peer of a ROUTER may send, all its connections together; what is more is dropped.
    package var peerRate: RateLimit?
    /// What a bound socket's connections may amount to; `nil` neither counts nor bounds them.
    package var connectionLimit: ConnectionLimit?
    /// Messages received and not yet read; while it is full the socket is not read, and peers feel it.
    package var inbox: QueueLimit
    /// A DEALER's messages that wait for a connection or for room in it.
    package var outbox: QueueLimit
    /// How long a peer may take to introduce itself and prove its key.
    package var handshakeTime: Duration
    /// The I/O thread that serves the channel, counted from 0; `nil` lets libzmq choose.
    package var ioThread: Int?

    package init(
        sendHighWaterMark: Int = 256,
        receiveHighWaterMark: Int = 256,
        frameByteLimit: Int = 1 << 20,
        frameCountLimit: Int = 4,
        messageByteLimit: Int = 4 << 20,
        peerRate: RateLimit? = nil,
        connectionLimit: ConnectionLimit? = nil,
        inbox: QueueLimit = QueueLimit(messageCount: 256, byteCount: 16 << 20),
        outbox: QueueLimit = QueueLimit(messageCount: 256, byteCount: 16 << 20),
        handshakeTime: Duration = .seconds(5),
        ioThread: Int? = nil
    ) {
        precondition(
            sendHighWaterMark >= 1 && receiveHighWaterMark >= 1,
            "a high-water mark of 0 means no bound: \(sendHighWaterMark), \(receiveHighWaterMark)"
        )
        precondition(
            frameByteLimit >= 1 && frameCountLimit >= 1 && messageByteLimit >= 1,
            "a message has a frame and a byte: \(frameCountLimit), \(frameByteLimit), \(messageByteLimit)"
        )
        precondition(
            ioThread.map { (0..<64).contains($0) } ?? true,
            "I/O thread \(ioThread ?? 0) of at most 64"
        )
        precondition(handshakeTime >= .milliseconds(1), "a handshake takes time, got \(handshakeTime)")
        self.sendHighWaterMark = sendHighWaterMark
        self.receiveHighWaterMark = receiveHighWaterMark
        self.frameByteLimit = frameByteLimit
        self.frameCountLimit = frameCountLimit
        self.messageByteLimit = messageByteLimit
        self.peerRate = peerRate
        self.connectionLimit = connectionLimit
        self.inbox = inbox
        self.outbox = outbox
        self.handshakeTime = handshakeTime
        self.ioThread = ioThread
    }
}

extension ChannelSettings {
    /// Bytes CURVE adds to a frame on the wire (command name, nonce, flags, code), with some to spare.
    private static let encryptionByteCount = 64

    /// Sets the socket's options; must precede its first bind or connect.
    ///
    /// No ZMTP heartbeats: with a receive high-water mark they abort the process (libzmq issue 3937) and they
    /// end healthy connections under backpressure. The application's pings and TCP's keepalive do their work.
    func apply(to socket: borrowing Socket, kind: ChannelKind) throws(ZeroMQError) {
        try socket.set(ZMQ_SNDHWM, to: Int32(clamping: sendHighWaterMark))
        try socket.set(ZMQ_RCVHWM, to: Int32(clamping: receiveHighWaterMark))
        try socket.set(ZMQ_MAXMSGSIZE, toWide: Int64(frameByteLimit + Self.encryptionByteCount))
        try socket.set(ZMQ_HANDSHAKE_IVL, to: handshakeTime.milliseconds)
        try socket.set(ZMQ_CONNECT_TIMEOUT, to: 5_000)
        // A whole cluster may come at once, as after a restart; those the kernel has no place for try again later.
        try socket.set(ZMQ_BACKLOG, to: 1024)
        try socket.set(ZMQ_RECONNECT_IVL, to: 100)
        try socket.set(ZMQ_RECONNECT_IVL_MAX, to: 5_000)
        try socket.set(ZMQ_TCP_KEEPALIVE, to: 1)
        try socket.set(ZMQ_TCP_KEEPALIVE_IDLE, to: 10)
        try socket.set(ZMQ_TCP_KEEPALIVE_INTVL, to: 2)
        try socket.set(ZMQ_TCP_KEEPALIVE_CNT, to: 3)
        if let ioThread { try socket.set(ZMQ_AFFINITY, toWide: Int64(bitPattern: 1 << UInt64(ioThread))) }
        switch kind {
        case .router:
            // Unknown peers are errors, and a second peer of the same name does not take over the first one's
            // messages.
            try socket.set(ZMQ_ROUTER_MANDATORY, to: 1)
            try socket.set(ZMQ_ROUTER_HANDOVER, to: 0)
        case .dealer:
            // Nothing queues inside libzmq for a peer that is not there.
            try socket.set(ZMQ_IMMEDIATE, to: 1)
        case .publisher:
            // Without this, libzmq tells only of the first subscriber. Its manual mode, in which a subscription
            // waits for consent, uses connections after their end (4.3.4).
            try socket.set(ZMQ_XPUB_VERBOSE, to: 1)
        case .subscriber:
            break
        }
    }
}
