import CZeroMQ

/// How a server answered a connection attempt.
enum HandshakeOutcome: Sendable, Equatable {
    case accepted
    /// The connection was closed within the handshake, with a status code if the server gave one.
    case refused(status: Int?)
    /// Nothing was decided in time.
    case undecided
}

extension HandshakeOutcome: CustomStringConvertible {
    var description: String {
        switch self {
        case .accepted: "accepted"
        case .refused(let status?): "refused with status \(status)"
        case .refused(nil): "the connection was closed"
        case .undecided: "no answer in time"
        }
    }
}

/// Tries one handshake on a socket of its own and tells how it ended.
///
/// - Parameter patience: how long to wait for the end.
func handshake(
    at endpoint: String,
    as security: SocketSecurity,
    in context: Context,
    patience: Duration
) async throws(ZeroMQError) -> HandshakeOutcome {
    let result = await withCheckedContinuation { continuation in
        startThread(named: "zmq-probe") {
            let result = Result { () throws(ZeroMQError) in
                try HandshakeProbe(in: context, security: security).run(endpoint, patience: patience)
            }
            continuation.resume(returning: result)
        }
    }
    return try result.get()
}

/// A DEALER whose monitor tells how its handshakes end.
private struct HandshakeProbe: ~Copyable {
    private static let refusals =
        ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
        | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_DISCONNECTED
    private let dealer: Socket
    private let monitor: Socket

    init(in context: Context, security: SocketSecurity) throws(ZeroMQError) {
        let dealer = try Socket(ZMQ_DEALER, in: context)
        let monitor = try Socket(ZMQ_PAIR, in: context)
        try security.apply(to: dealer)
        let name = "inproc://handshake-\(UInt64.random(in: 0...UInt64.max))"
        let events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | Self.refusals
        guard unsafe zmq_socket_monitor(try dealer.opened(), name, events) == 0 else {
            throw .last("zmq_socket_monitor")
        }
        try monitor.connect(to: name)
        self.dealer = dealer
        self.monitor = monitor
    }

    deinit {
        // First of all: an event that finds no reader any more blocks the I/O thread for ever.
        if let raw = unsafe dealer.handle.raw { unsafe zmq_socket_monitor(raw, nil, 0) }
    }

    func run(_ endpoint: String, patience: Duration) throws(ZeroMQError) -> HandshakeOutcome {
        let clock = ContinuousClock()
        let deadline = clock.now + patience
        try dealer.connect(to: endpoint)
        while true {
            let rest = deadline - clock.now
            guard rest > .zero else { return .undecided }
            var item = unsafe zmq_pollitem_t(
                socket: try monitor.opened(),
                fd: 0,
                events: Int16(ZMQ_POLLIN),
                revents: 0
            )
            guard unsafe zmq_poll(&item, 1, Int(rest.milliseconds) + 1) >= 0 || zmq_errno() == EINTR else {
                throw .last("zmq_poll")
            }
            if let outcome = try nextOutcome() { return outcome }
        }
    }

    /// Reads one event: a 16-bit number and a 32-bit value in the first frame, both in the machine's order.
    private func nextOutcome() throws(ZeroMQError) -> HandshakeOutcome? {
        let reception = try monitor.receive(MessageLimit(frameCount: 2, frameByteCount: 4096))
        guard case .message(let frames, _) = reception?.content, frames[0].count == 6 else { return nil }
        let event = Int32(frames[0][0]) | Int32(frames[0][1]) << 8
        if event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED { return .accepted }
        guard event & Self.refusals != 0 else { return nil }
        let status = Int(frames[0][2]) | Int(frames[0][3]) << 8
        return .refused(status: event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH ? status : nil)
    }
}
