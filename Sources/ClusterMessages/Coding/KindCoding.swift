import CClusterProto

extension Message.Kind: WireEnumeration {
    private static let byNumber = Dictionary(uniqueKeysWithValues: allCases.map { ($0.wire.rawValue, $0) })

    /// The kind of a number from the wire, found faster than by trying all.
    init?(wireNumber: UInt32) {
        guard let kind = Self.byNumber[wireNumber] else { return nil }
        self = kind
    }

    var wire: Flowsteer__Cluster__V1__Kind {
        switch self {
        case .hello: FLOWSTEER__CLUSTER__V1__KIND__KIND_HELLO
        case .welcome: FLOWSTEER__CLUSTER__V1__KIND__KIND_WELCOME
        case .refuse: FLOWSTEER__CLUSTER__V1__KIND__KIND_REFUSE
        case .ping: FLOWSTEER__CLUSTER__V1__KIND__KIND_PING
        case .pong: FLOWSTEER__CLUSTER__V1__KIND__KIND_PONG
        case .goodbye: FLOWSTEER__CLUSTER__V1__KIND__KIND_GOODBYE
        case .drain: FLOWSTEER__CLUSTER__V1__KIND__KIND_DRAIN
        case .finish: FLOWSTEER__CLUSTER__V1__KIND__KIND_FINISH
        case .workCredit: FLOWSTEER__CLUSTER__V1__KIND__KIND_WORK_CREDIT
        case .lease: FLOWSTEER__CLUSTER__V1__KIND__KIND_LEASE
        case .leaseCancel: FLOWSTEER__CLUSTER__V1__KIND__KIND_LEASE_CANCEL
        case .trajectoryReady: FLOWSTEER__CLUSTER__V1__KIND__KIND_TRAJECTORY_READY
        case .leaseFailed: FLOWSTEER__CLUSTER__V1__KIND__KIND_LEASE_FAILED
        case .assign: FLOWSTEER__CLUSTER__V1__KIND__KIND_ASSIGN
        case .release: FLOWSTEER__CLUSTER__V1__KIND__KIND_RELEASE
        case .consumed: FLOWSTEER__CLUSTER__V1__KIND__KIND_CONSUMED
        case .fetchFailed: FLOWSTEER__CLUSTER__V1__KIND__KIND_FETCH_FAILED
        case .stepReport: FLOWSTEER__CLUSTER__V1__KIND__KIND_STEP_REPORT
        case .fetch: FLOWSTEER__CLUSTER__V1__KIND__KIND_FETCH
        case .chunk: FLOWSTEER__CLUSTER__V1__KIND__KIND_CHUNK
        case .fetchError: FLOWSTEER__CLUSTER__V1__KIND__KIND_FETCH_ERROR
        case .roundOpen: FLOWSTEER__CLUSTER__V1__KIND__KIND_ROUND_OPEN
        case .roundCommitted: FLOWSTEER__CLUSTER__V1__KIND__KIND_ROUND_COMMITTED
        case .roundAborted: FLOWSTEER__CLUSTER__V1__KIND__KIND_ROUND_ABORTED
        case .offer: FLOWSTEER__CLUSTER__V1__KIND__KIND_OFFER
        case .offerFragment: FLOWSTEER__CLUSTER__V1__KIND__KIND_OFFER_FRAGMENT
        case .offerAccepted: FLOWSTEER__CLUSTER__V1__KIND__KIND_OFFER_ACCEPTED
        case .parameterRequest: FLOWSTEER__CLUSTER__V1__KIND__KIND_PARAMETER_REQUEST
        case .parameterFragment: FLOWSTEER__CLUSTER__V1__KIND__KIND_PARAMETER_FRAGMENT
        case .roundCut: FLOWSTEER__CLUSTER__V1__KIND__KIND_ROUND_CUT
        case .ringOpen: FLOWSTEER__CLUSTER__V1__KIND__KIND_RING_OPEN
        case .ringShare: FLOWSTEER__CLUSTER__V1__KIND__KIND_RING_SHARE
        case .ringFailed: FLOWSTEER__CLUSTER__V1__KIND__KIND_RING_FAILED
        case .roundError: FLOWSTEER__CLUSTER__V1__KIND__KIND_ROUND_ERROR
        case .announce: FLOWSTEER__CLUSTER__V1__KIND__KIND_ANNOUNCE
        case .manifestRequest: FLOWSTEER__CLUSTER__V1__KIND__KIND_MANIFEST_REQUEST
        case .manifest: FLOWSTEER__CLUSTER__V1__KIND__KIND_MANIFEST
        case .chunkRequest: FLOWSTEER__CLUSTER__V1__KIND__KIND_CHUNK_REQUEST
        case .statusRequest: FLOWSTEER__CLUSTER__V1__KIND__KIND_STATUS_REQUEST
        case .status: FLOWSTEER__CLUSTER__V1__KIND__KIND_STATUS
        case .command: FLOWSTEER__CLUSTER__V1__KIND__KIND_COMMAND
        }
    }
}
