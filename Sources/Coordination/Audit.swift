package import ClusterMessages

/// One batch, made by several nodes to see whether they agree.
///
/// A trajectory is a pure function of its batch, equal to the byte on processors of one kind; results of
/// different kinds differ in their last digits and are not compared. Two nodes that differ do not tell who is
/// wrong: a third one is asked, and whoever stands alone against two is outvoted.
struct Audit: Sendable, Equatable {
    /// What a node says a batch's bytes are.
    struct Claim: Sendable, Equatable {
        let node: NodeID
        /// The kind of processor and kernels it computed with.
        let machine: String
        let hash: ContentHash
    }

    /// What the claims come to.
    enum Verdict: Equatable {
        /// More are needed.
        case open
        case agreed
        case outvoted([NodeID])
        /// Three nodes say three things.
        case undecided
    }

    /// Claims after which it is given up when no two of them agree.
    private static let claimLimit = 3

    let batch: BatchID
    /// The first is the one that is audited.
    private(set) var claims: [Claim]
    /// The lease of the node that makes the batch again.
    var lease: GrantedLease?
    /// Leases granted for it.
    var grants: UInt32 = 0
    /// Nodes that could not make it again.
    var failedOn: Set<NodeID> = []

    init(_ batch: BatchID, of claim: Claim) {
        self.batch = batch
        claims = [claim]
    }

    /// The kind of processor whose results count.
    var machine: String { claims[0].machine }

    /// Adds a comparable claim; of each node the first one counts.
    mutating func add(_ claim: Claim) {
        guard claim.machine == machine, !claims.contains(where: { $0.node == claim.node }) else { return }
        claims.append(claim)
    }

    /// Whether a node may be asked.
    func asks(_ node: NodeID, machine: String) -> Bool {
        machine == self.machine && !failedOn.contains(node) && !claims.contains { $0.node == node }
    }

    var verdict: Verdict {
        guard let shared = claims.first(where: { claim in claims.count { $0.hash == claim.hash } > 1 }) else {
            return claims.count < Self.claimLimit ? .open : .undecided
        }
        let alone = claims.filter { $0.hash != shared.hash }.map(\.node)
        return alone.isEmpty ? .agreed : .outvoted(alone)
    }

    /// Whether a batch is among the share that is audited: always the same ones, evenly spread.
    static func isChosen(_ batch: BatchID, share: Double) -> Bool {
        // The finalizer of SplitMix64 makes neighbouring numbers independent.
        var mixed = batch.rawValue &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        return Double(mixed >> 11) / Double(1 << 53) < share
    }
}

extension Fence {
    /// Attempts are numbered from here when a settled batch is leased, above those of all its leases.
    static let settledAttempt: UInt32 = 1 << 30

    /// Whether the batch was settled before: it is made again for its audit, and nobody trains on it.
    package var isOfSettledBatch: Bool { attempt >= Self.settledAttempt }
}
