import CZeroMQ

/// Why a socket, a key or the guard of a door failed.
package enum ZeroMQError: Error, Equatable {
    /// libzmq refused `operation`; `reason` is its own text.
    case failed(operation: String, reason: String, endpoint: String?)
    /// The ROUTER knows no such peer: it never said a word, or its connection is gone.
    case peerUnreachable(RoutingID)
    /// The queue to this peer is at its high-water mark; the peer reads too slowly or hangs.
    case wouldBlock(RoutingID)
    /// The DEALER's outbox holds all it may hold.
    case outboxFull(QueueLimit)
    /// The channel was closed or its context shut down.
    case closed
    /// The text is no Z85-encoded CURVE key of 40 characters; a secret is never repeated here.
    case malformedKey(String)
    /// A socket without encryption may only use endpoints of this machine, and only if the context allows it.
    case insecureEndpoint(String)
    /// A key nobody allowed was let in.
    case doorOpen(endpoint: String)
    /// A key that is allowed was not let in.
    case doorShut(endpoint: String, reason: String)
}

extension ZeroMQError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .failed(let operation, let reason, let endpoint):
            "\(operation) failed\(endpoint.map { " for \($0)" } ?? ""): \(reason)"
        case .peerUnreachable(let peer): "peer \(peer) is not connected"
        case .wouldBlock(let peer): "the queue to peer \(peer) is full"
        case .outboxFull(let limit):
            "the outbox is full (\(limit.messageCount) messages, \(limit.byteCount) bytes)"
        case .closed: "the channel is closed"
        case .malformedKey(let reason): "not a CURVE key: \(reason)"
        case .insecureEndpoint(let endpoint):
            "\(endpoint) without encryption: allowed only in insecure mode and only on this machine"
        case .doorOpen(let endpoint): "\(endpoint) lets in a key that nobody allowed"
        case .doorShut(let endpoint, let reason): "\(endpoint) does not let in an allowed key: \(reason)"
        }
    }
}

extension ZeroMQError {
    /// The failure libzmq reported last on this thread.
    static func last(_ operation: String, endpoint: String? = nil) -> ZeroMQError {
        .failed(operation: operation, code: zmq_errno(), endpoint: endpoint)
    }

    /// The failure of a number.
    static func failed(operation: String, code: Int32, endpoint: String? = nil) -> ZeroMQError {
        guard code != ETERM && code != ENOTSOCK else { return .closed }
        return .failed(
            operation: operation,
            reason: unsafe String(cString: zmq_strerror(code)),
            endpoint: endpoint
        )
    }
}
