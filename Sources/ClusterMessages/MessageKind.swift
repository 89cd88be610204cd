extension Message {
    /// The kind of a message, without its contents.
    package enum Kind: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
        case hello, welcome, refuse, ping, pong, goodbye, drain, finish
        case workCredit, lease, leaseCancel, trajectoryReady, leaseFailed, assign, release, consumed
        case fetchFailed, stepReport
        case fetch, chunk, fetchError
        case roundOpen, roundCut, roundCommitted, roundAborted, offer, offerFragment, offerAccepted
        case parameterRequest, parameterFragment, roundError
        case ringOpen, ringShare, ringFailed
        case announce, manifestRequest, manifest, chunkRequest
        case statusRequest, status, command

        /// The kind's name.
        package var description: String { rawValue }
    }
}

extension Message.Kind {
    /// Who may send this kind; from anyone else it is a violation of the protocol.
    package var allowedSenders: Set<Role> {
        switch self {
        case .hello, .goodbye, .ping: [.rollout, .trainer, .operator]
        case .welcome, .refuse, .pong, .drain, .finish: [.coordinator]

        case .workCredit: [.rollout, .trainer]
        case .lease, .leaseCancel, .assign, .release: [.coordinator]
        case .trajectoryReady, .leaseFailed: [.rollout]
        case .consumed, .fetchFailed, .stepReport: [.trainer]

        case .fetch: [.trainer, .coordinator]
        case .chunk, .fetchError: [.rollout, .trainer, .coordinator]

        case .roundOpen, .roundCut, .roundCommitted, .roundAborted, .ringOpen: [.coordinator]
        case .offer, .offerFragment, .parameterRequest, .ringShare, .ringFailed: [.trainer]
        case .offerAccepted, .parameterFragment, .roundError: [.coordinator]

        case .announce: [.coordinator, .rollout]
        case .manifest: [.coordinator]
        case .manifestRequest, .chunkRequest: [.rollout, .trainer, .operator]

        case .statusRequest, .command: [.operator]
        case .status: [.coordinator]
        }
    }

    /// Whether a third frame of raw bytes belongs to the message.
    package var carriesPayload: Bool {
        switch self {
        case .chunk, .offerFragment, .parameterFragment, .manifest, .status: true
        default: false
        }
    }

    /// Whether the body may be as large as a payload: it lists what a node holds, or prompts, or members, or is a
    /// configuration.
    package var hasLargeBody: Bool {
        switch self {
        case .hello, .welcome, .goodbye, .lease, .assign, .ringOpen, .roundCommitted: true
        default: false
        }
    }
}
