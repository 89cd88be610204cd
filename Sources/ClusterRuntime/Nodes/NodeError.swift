package import ClusterMessages

/// Why a worker, or something it fetches or sends, failed.
package enum NodeError: Error, Equatable, Sendable {
    /// Nobody answered hello or ping for the whole patience.
    case coordinatorUnreachable(endpoint: String, silence: Duration)
    /// No coordinator has said in a run's folder where it is.
    case notRunning(folder: String)
    /// A round that a person waits for is not committed, for these reasons.
    case notCommitted(RoundNumber, [String])
    /// The coordinator does not let this node in, or put it out.
    case refused(ErrorCode, String)
    /// A peer was silent too long in the middle of a transfer.
    case silent(peer: String, subject: String, Duration)
    /// A peer cannot give what was asked for.
    case notServed(peer: String, subject: String, ErrorCode, String)
    /// Bytes that arrived are not those that were named.
    case wrongBytes(peer: String, subject: String, expected: String, actual: String)
    /// What was received was not a message of this protocol, or could not be sent as one.
    case brokenProtocol(peer: String, reason: String)
    /// The node was told nothing it could work by.
    case missing(String, expected: String)
    /// Something of this machine failed: a file, a socket.
    case local(String)

    /// The exit code of a process that ends for this (sysexits.h).
    package var exitCode: Int32 {
        switch self {
        case .coordinatorUnreachable, .notRunning: 69
        case .refused: 77
        case .missing: 78
        case .silent, .notServed, .notCommitted: 75
        case .wrongBytes, .brokenProtocol: 65
        case .local: 70
        }
    }
}

extension NodeError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .coordinatorUnreachable(let endpoint, let silence):
            "no answer from the coordinator at \(endpoint) for \(silence): it is not running, cannot be "
                + "reached, or does not list this node's public key"
        case .notRunning(let folder):
            "\(folder): no coordinator works here: expected the folder of a run that is going on"
        case .notCommitted(let round, let reasons):
            "round \(round) is not committed: "
                + (reasons.isEmpty ? "it takes its time" : reasons.joined(separator: "; "))
        case .refused(let code, let text): "the coordinator refuses this node (\(code)): \(text)"
        case .silent(let peer, let subject, let silence): "\(peer) sent nothing of \(subject) for \(silence)"
        case .notServed(let peer, let subject, let code, let text):
            "\(peer) does not serve \(subject) (\(code)): \(text)"
        case .wrongBytes(let peer, let subject, let expected, let actual):
            "\(subject) from \(peer): expected \(expected), got \(actual)"
        case .brokenProtocol(let peer, let reason): "\(peer) does not keep to the protocol: \(reason)"
        case .missing(let what, let expected): "\(what) is missing: \(expected)"
        case .local(let text): text
        }
    }
}

extension NodeError {
    /// The code by which a peer is told of this failure.
    var code: ErrorCode {
        switch self {
        case .refused(let code, _), .notServed(_, _, let code, _): code
        case .wrongBytes, .brokenProtocol: .corrupt
        case .silent, .coordinatorUnreachable, .notRunning, .notCommitted: .expired
        case .missing: .notFound
        case .local: .internal
        }
    }
}
