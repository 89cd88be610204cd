import CClusterProto

/// A choice that is an enumeration on the wire, where 0 is none of its cases.
protocol WireEnumeration: CaseIterable {
    associatedtype Wire: RawRepresentable<UInt32>

    /// The case's number in `Proto/`.
    var wire: Wire { get }
}

extension WireEnumeration {
    /// The case of a number from the wire; nil for 0 and for cases of a later program.
    init?(wireNumber: UInt32) {
        guard let choice = Self.allCases.first(where: { $0.wire.rawValue == wireNumber }) else { return nil }
        self = choice
    }
}

extension Role: WireEnumeration {
    var wire: Flowsteer__Cluster__V1__Role {
        switch self {
        case .coordinator: FLOWSTEER__CLUSTER__V1__ROLE__ROLE_COORDINATOR
        case .rollout: FLOWSTEER__CLUSTER__V1__ROLE__ROLE_ROLLOUT
        case .trainer: FLOWSTEER__CLUSTER__V1__ROLE__ROLE_TRAINER
        case .operator: FLOWSTEER__CLUSTER__V1__ROLE__ROLE_OPERATOR
        }
    }
}

extension Message.RunState: WireEnumeration {
    var wire: Flowsteer__Cluster__V1__RunState {
        switch self {
        case .running: FLOWSTEER__CLUSTER__V1__RUN_STATE__RUN_STATE_RUNNING
        case .paused: FLOWSTEER__CLUSTER__V1__RUN_STATE__RUN_STATE_PAUSED
        case .draining: FLOWSTEER__CLUSTER__V1__RUN_STATE__RUN_STATE_DRAINING
        case .finished: FLOWSTEER__CLUSTER__V1__RUN_STATE__RUN_STATE_FINISHED
        }
    }
}

extension Message.Action: WireEnumeration {
    var wire: Flowsteer__Cluster__V1__Action {
        switch self {
        case .pause: FLOWSTEER__CLUSTER__V1__ACTION__ACTION_PAUSE
        case .resume: FLOWSTEER__CLUSTER__V1__ACTION__ACTION_RESUME
        case .drain: FLOWSTEER__CLUSTER__V1__ACTION__ACTION_DRAIN
        case .checkpoint: FLOWSTEER__CLUSTER__V1__ACTION__ACTION_CHECKPOINT
        }
    }
}

extension NumberEncoding: WireEnumeration {
    var wire: Flowsteer__Cluster__V1__ScalarType {
        switch self {
        case .float32: FLOWSTEER__CLUSTER__V1__SCALAR_TYPE__SCALAR_TYPE_FLOAT32
        case .float16: FLOWSTEER__CLUSTER__V1__SCALAR_TYPE__SCALAR_TYPE_FLOAT16
        case .bfloat16: FLOWSTEER__CLUSTER__V1__SCALAR_TYPE__SCALAR_TYPE_BFLOAT16
        case .int8: FLOWSTEER__CLUSTER__V1__SCALAR_TYPE__SCALAR_TYPE_INT8
        }
    }
}

extension ErrorCode: WireEnumeration {
    var wire: Flowsteer__Cluster__V1__ErrorCode {
        switch self {
        case .version: FLOWSTEER__CLUSTER__V1__ERROR_CODE__ERROR_CODE_VERSION
        case .auth: FLOWSTEER__CLUSTER__V1__ERROR_CODE__ERROR_CODE_AUTH
        case .runMismatch: FLOWSTEER__CLUSTER__V1__ERROR_CODE__ERROR_CODE_RUN_MISMATCH
        case .teacherMismatch: FLOWSTEER__CLUSTER__V1__ERROR_CODE__ERROR_CODE_TEACHER_MISMATCH
        case .staleEpoch: FLOWSTEER__CLUSTER__V1__ERROR_CODE__ERROR_CODE_STALE_EPOCH
        case .staleFence: FLOWSTEER__CLUSTER__V1__ERROR_CODE__ERROR_CODE_STALE_FENCE
        case .duplicateNode: FLOWSTEER__CLUSTER__V1__ERROR_CODE__ERROR_CODE_DUPLICATE_NODE
        case .unknownBatch: FLOWSTEER__CLUSTER__V1__ERROR_CODE__ERROR_CODE_UNKNOWN_BATCH
        case .expired: FLOWSTEER__CLUSTER__V1__ERROR_CODE__ERROR_CODE_EXPIRED
        case .notFound: FLOWSTEER__CLUSTER__V1__ERROR_CODE__ERROR_CODE_NOT_FOUND
        case .corrupt: FLOWSTEER__CLUSTER__V1__ERROR_CODE__ERROR_CODE_CORRUPT
        case .tooLarge: FLOWSTEER__CLUSTER__V1__ERROR_CODE__ERROR_CODE_TOO_LARGE
        case .noCapacity: FLOWSTEER__CLUSTER__V1__ERROR_CODE__ERROR_CODE_NO_CAPACITY
        case .badBase: FLOWSTEER__CLUSTER__V1__ERROR_CODE__ERROR_CODE_BAD_BASE
        case .nonFinite: FLOWSTEER__CLUSTER__V1__ERROR_CODE__ERROR_CODE_NON_FINITE
        case .quorumLost: FLOWSTEER__CLUSTER__V1__ERROR_CODE__ERROR_CODE_QUORUM_LOST
        case .paused: FLOWSTEER__CLUSTER__V1__ERROR_CODE__ERROR_CODE_PAUSED
        case .shuttingDown: FLOWSTEER__CLUSTER__V1__ERROR_CODE__ERROR_CODE_SHUTTING_DOWN
        case .internal: FLOWSTEER__CLUSTER__V1__ERROR_CODE__ERROR_CODE_INTERNAL
        }
    }
}
