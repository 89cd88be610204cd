package import ClusterMessages

/// The right to produce one batch until a deadline.
package struct GrantedLease: Sendable, Equatable {
    /// The batch to produce.
    package let batch: BatchID
    /// Who may produce it.
    package let node: NodeID
    /// Tells this lease from earlier and later ones of the batch.
    package let fence: Fence
    /// When it was granted.
    package let grantedAt: Instant
    /// When it is over, unless the node shows progress before.
    package internal(set) var deadline: Instant
    /// Whether the node finished a batch granted after this one: its progress proves nothing for this one
    /// then.
    var isOvertaken = false
}

/// A produced batch and where its bytes are.
package struct ProducedBatch: Sendable, Equatable {
    /// The batch it belongs to.
    package let batch: BatchID
    /// The hash of its bytes.
    package let hash: ContentHash
    /// How many bytes it has.
    package let byteCount: Int
    /// The rollout that serves it.
    package let holder: NodeID
    /// The batch that its trainer begins before it, where there is an order.
    package var after: BatchID?
}

/// One trainer's use of one batch in one step.
package struct Consumption: Sendable, Equatable {
    /// The batch trained on.
    package let batch: BatchID
    /// The hash of the bytes trained on.
    package let hash: ContentHash
    /// The round the step belongs to.
    package let round: RoundNumber
    /// Samples that entered the step's loss.
    package let samples: Int
    /// Which use of the batch in this round it is, from 1.
    package let use: Int

    /// A use, as the trainer reports it.
    package init(batch: BatchID, hash: ContentHash, round: RoundNumber, samples: Int, use: Int) {
        self.batch = batch
        self.hash = hash
        self.round = round
        self.samples = samples
        self.use = use
    }
}

/// A batch given up, with the reason of the last failure.
package struct DeadLetter: Sendable, Equatable {
    /// The batch.
    package let batch: BatchID
    /// How many tries failed.
    package let failures: Int
    /// Why the last one did, for a person.
    package let reason: String
}

/// What a committed round used of one batch.
package struct BatchUse: Sendable, Equatable {
    /// The batch.
    package let batch: BatchID
    /// Who trained on it.
    package let trainer: NodeID
    /// How often.
    package let uses: Int
}

/// How many batches are where; their sum is the number ever issued.
package struct Census: Sendable, Equatable {
    /// Issued and waiting for a lease.
    package var pending = 0
    /// Being produced.
    package var leased = 0
    /// Waiting for a trainer.
    package var produced = 0
    /// With a trainer, not used up.
    package var assigned = 0
    /// Used up, in the round that is open.
    package var consumed = 0
    /// In the committed parameters.
    package var committed = 0
    /// Given up.
    package var dead = 0

    /// All of them.
    package var total: Int { pending + leased + produced + assigned + consumed + committed + dead }
}

/// A batch between its issue and its end.
struct Batch: Sendable, Equatable {
    enum Stage: Sendable, Equatable {
        case pending
        /// Being produced, by a second node too when the first is late.
        case leased(GrantedLease, hedge: GrantedLease? = nil)
        case produced
        case assigned(to: NodeID)
        case consumed(by: NodeID)
    }

    let id: BatchID
    var stage = Stage.pending
    /// The hash of the first result; kept when its bytes are lost, to compare the next result with.
    var hash: ContentHash?
    /// Who made that result; nil when only a trainer told of it.
    var claim: Audit.Claim?
    var byteCount = 0
    /// Who serves the bytes; nil when nobody does any more.
    var holder: NodeID?
    /// Leases granted so far, which number the next one.
    var grants: UInt32 = 0
    /// The batch its trainer was told to begin before it.
    var after: BatchID?
    /// Whom it failed on, once for every failed try.
    var failedOn: [NodeID] = []
    /// Uses in the open round by the trainer that has it, and their samples.
    var uses = 0
    var samples = 0

    init(_ id: BatchID) { self.id = id }

    /// The trainer that has it or used it up.
    var trainer: NodeID? {
        switch stage {
        case .assigned(let node), .consumed(let node): node
        case .pending, .leased, .produced: nil
        }
    }

    /// The leases it is produced under: none, one, or one and its hedge.
    var leases: [GrantedLease] {
        guard case .leased(let lease, let hedge) = stage else { return [] }
        return hedge.map { [lease, $0] } ?? [lease]
    }

    /// The lease a node produces it under.
    func lease(of node: NodeID) -> GrantedLease? { leases.first { $0.node == node } }

    /// Changes the lease of a node, or all leases.
    mutating func changeLeases(of node: NodeID? = nil, _ change: (inout GrantedLease) -> Void) {
        guard case .leased(var lease, var hedge) = stage else { return }
        if node == nil || lease.node == node { change(&lease) }
        if var second = hedge, node == nil || second.node == node {
            change(&second)
            hedge = second
        }
        stage = .leased(lease, hedge: hedge)
    }

    /// Ends a node's lease: the other goes on, or the batch is pending again.
    mutating func endLease(of node: NodeID) {
        guard case .leased(let lease, let hedge) = stage else { return }
        switch (lease.node == node, hedge) {
        case (true, let hedge?): stage = .leased(hedge)
        case (true, nil): stage = .pending
        case (false, let hedge?) where hedge.node == node: stage = .leased(lease)
        case (false, _): break
        }
    }

    /// What a trainer is told to fetch; nil without a holder.
    var trajectory: ProducedBatch? {
        guard let hash, let holder else { return nil }
        return ProducedBatch(batch: id, hash: hash, byteCount: byteCount, holder: holder, after: after)
    }
}
