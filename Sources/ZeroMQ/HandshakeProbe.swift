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
    private let monitor: SocketMonitor

    init(in context: Context, security: SocketSecurity) throws(ZeroMQError) {
        let dealer = try Socket(ZMQ_DEALER, in: context)
        try security.apply(to: dealer)
        monitor = try SocketMonitor(
            of: dealer,
            events: ZMQ_EVENT_HANDSHAKE_SUCCEEDED | Self.refusals,
            in: context
        )
        self.dealer = dealer
    }

    deinit { monitor.stop(dealer) }

    func run(_ endpoint: String, patience: Duration) throws(ZeroMQError) -> HandshakeOutcome {
        let clock = ContinuousClock()
        let deadline = clock.now + patience
        try dealer.connect(to: endpoint)
        while true {
            let rest = deadline - clock.now
            guard rest > .zero else { return .undecided }
            var item = unsafe zmq_pollitem_t(
                socket: monitor.handle.raw,
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

    private func nextOutcome() throws(ZeroMQError) -> HandshakeOutcome? {
        guard let event = try monitor.next() else { return nil }
        if event.number == ZMQ_EVENT_HANDSHAKE_SUCCEEDED { return .accepted }
        guard event.number & Self.refusals != 0 else { return nil }
        return .refused(status: event.number == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH ? Int(event.value) : nil)
    }
}
