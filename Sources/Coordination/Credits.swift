package import ClusterMessages

/// How much a node lets the coordinator have outstanding with it: a window, not an increment.
///
/// Stating the window anew is idempotent, so a lost or repeated statement can neither leak nor forge credit.
package struct CreditWindow: Sendable, Equatable {
    /// Batches outstanding at once: leased to a rollout, or assigned to a trainer and not used up.
    package let batches: Int
    /// Bytes of trajectories outstanding at once: kept by a rollout for trainers, or prefetched by a trainer.
    package let byteCount: Int

    /// A window; what a peer states below zero counts as zero.
    package init(batches: Int, byteCount: Int) {
        self.batches = max(0, batches)
        self.byteCount = max(0, byteCount)
    }

    /// Nothing at all.
    package static let closed = CreditWindow(batches: 0, byteCount: 0)

    func limited(to limit: CreditWindow) -> CreditWindow {
        CreditWindow(batches: min(batches, limit.batches), byteCount: min(byteCount, limit.byteCount))
    }
}

/// What is outstanding with a node, as the ledger counts it.
package struct Load: Sendable, Equatable {
    /// Batches leased to a rollout, or assigned to a trainer and not used up.
    package var batches = 0
    /// Bytes a rollout keeps, with those its leases will make, or a trainer prefetches.
    package var byteCount = 0
}

/// The windows the nodes opened; what is outstanding is the ledger's, so the two cannot drift apart.
package struct Credits: Sendable, Equatable {
    private var windows: [NodeID: CreditWindow] = [:]

    /// No node has opened a window.
    init() {}

    /// Replaces a node's window by what it states now, within `limit`.
    mutating func open(_ window: CreditWindow, for node: NodeID, limit: CreditWindow) {
        windows[node] = window.limited(to: limit)
    }

    /// Forgets a node's window: it gets nothing until it states a new one.
    mutating func close(_ node: NodeID) { windows[node] = nil }

    /// Whether a node takes no more batches, as one that is about to leave says.
    func isClosed(by node: NodeID) -> Bool { windows[node]?.batches == 0 }

    /// What a node lets be outstanding.
    package func window(of node: NodeID) -> CreditWindow { windows[node] ?? .closed }

    /// Whether one more batch of `byteCount` fits a node's window beside its `load`.
    package func admits(_ byteCount: Int, to node: NodeID, beside load: Load) -> Bool {
        let window = window(of: node)
        return load.batches < window.batches && load.byteCount + byteCount <= window.byteCount
    }
}
