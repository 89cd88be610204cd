import ClusterMessages

@testable import ClusterRuntime

/// The contents of a message, if it is of the wanted kind.
extension Message {
    var asWelcome: Welcome? { if case .welcome(let value) = self { value } else { nil } }
    var asRefusal: ErrorCode? { if case .refuse(let value) = self { value.code } else { nil } }
    var asPong: Pong? { if case .pong(let value) = self { value } else { nil } }
    var asLease: Lease? { if case .lease(let value) = self { value } else { nil } }
    var asRelease: Release? { if case .release(let value) = self { value } else { nil } }
    var asStatus: RunStatus? {
        guard case .status(let status) = self else { return nil }
        return try? RunStatus(decoding: status.payload)
    }
    var asAssignment: Assign? { if case .assign(let value) = self { value } else { nil } }
    var asCommitted: RoundCommitted? { if case .roundCommitted(let value) = self { value } else { nil } }
    var asAcceptance: OfferAccepted? { if case .offerAccepted(let value) = self { value } else { nil } }
    var asParameters: ParameterFragment? {
        if case .parameterFragment(let value) = self { value } else { nil }
    }
    var asManifest: Manifest? { if case .manifest(let value) = self { value } else { nil } }
    var isFinish: Void? { if case .finish = self { () } else { nil } }
}
