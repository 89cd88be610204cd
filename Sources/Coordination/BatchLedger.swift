package import ClusterMessages
import OrderedCollections

/// Where every batch is, from its issue to its commit or death.
///
/// `pending → leased → produced → assigned → consumed → committed`; a lease that ends, a holder or trainer
/// that is lost and a round that excludes a trainer send batches back. Batches are issued in the order of the
/// corpus, so the number issued is the data cursor. A trajectory is a pure function of its batch: a result is
/// welcome from anyone, whatever its fence, as long as nobody delivered before.
package struct BatchLedger: Sendable {
    /// What the unsettled batches come to.
    package struct Survey: Sendable {
        /// What a node has to do with.
        struct Outstanding: Sendable {
            /// Leases, of audits too.
            var leases = 0
            /// Batches assigned and not used up.
            var assigned = 0
            /// Bytes kept for trainers, or of the batches assigned.
            var byteCount = 0
        }

        /// How many batches are where.
        package var census = Census()
        /// Samples of the open round by trainer, which weigh its offer.
        package var samples: [NodeID: Int] = [:]
        /// Batches a trainer has used in the open round, used up or not.
        var begun: [NodeID: Int] = [:]
        /// Batches a trainer has and did not use yet.
        var unused: [NodeID: Int] = [:]
        /// What is outstanding with each node.
        var outstanding: [NodeID: Outstanding] = [:]
        /// The largest trajectory seen, which is what a lease is expected to make.
        var expectedByteCount = 0

        /// What is outstanding with a node.
        package func load(of node: NodeID) -> Load {
            guard let outstanding = outstanding[node] else { return Load() }
            return Load(
                batches: outstanding.leases + outstanding.assigned,
                byteCount: outstanding.byteCount + outstanding.leases * expectedByteCount
            )
        }
    }

    /// Batches ever issued; batch numbers are below it.
    package internal(set) var issued: UInt64
    /// Unsettled batches in order of number; any other number below ``issued`` is committed or dead.
    var batches = BatchTable()
    var terms: LeaseTerms
    /// Batches being made again.
    var audits: OrderedDictionary<BatchID, Audit> = [:]
    /// Nodes outvoted by others, each with the batch that shows it.
    var accused: [NodeID: BatchID] = [:]
    let settings: CoordinationSettings

    /// The ledger of a snapshot: what is neither committed nor dead is pending.
    init(restoring snapshot: RunSnapshot, settings: CoordinationSettings) {
        self.settings = settings
        terms = LeaseTerms(floor: settings.leaseFloor, factor: settings.leaseFactor)
        let committed = Set(snapshot.committed)
        let settled = committed.union(snapshot.dead)
        batches.settle(committed: committed.count, dead: settled.count - committed.count)
        issued = max(snapshot.issued, settled.max().map { $0.rawValue + 1 } ?? 0)
        for number in 0..<issued where !settled.contains(BatchID(number)) {
            batches[BatchID(number)] = Batch(BatchID(number))
        }
    }

    /// An unsettled batch.
    subscript(id: BatchID) -> Batch? { batches[id] }

    /// What they come to now.
    package func survey() -> Survey { batches.account }

    /// What is outstanding with a node.
    func load(of node: NodeID) -> Load { batches.account.load(of: node) }

    /// Batches leased, or produced and not yet assigned.
    var leadCount: Int { batches.account.census.leased + batches.account.census.produced }

    /// The nodes that have less outstanding than before the last call.
    mutating func takeRelieved() -> Set<NodeID> { batches.takeRelieved() }

    /// The largest trajectory seen, which is what a lease is expected to make.
    var expectedByteCount: Int { batches.account.expectedByteCount }

    /// Issues batches up to and including `batch`, which a node reports from before a restart.
    mutating func extend(to batch: BatchID) {
        while issued <= batch.rawValue { issue() }
    }

    @discardableResult
    mutating func issue() -> BatchID {
        let id = BatchID(issued)
        batches[id] = Batch(id)
        issued += 1
        return id
    }

    // MARK: Ends

    /// Counts a failed try: the batch is pending again, or dead when its tries are used up.
    ///
    /// While another node has a lease of it, nothing but a final failure ends it.
    mutating func fail(
        _ id: BatchID,
        on node: NodeID,
        _ kind: Occurrence.Kind,
        _ reason: String,
        isFinal: Bool = false
    ) -> [Directive] {
        guard var batch = batches[id] else { return [] }
        if batch.leases.isEmpty { batch.stage = .pending } else { batch.endLease(of: node) }
        batch.failedOn.append(node)
        batches[id] = batch
        let failed = Directive.record(Occurrence(kind, node: node, batch: id, reason))
        let isSpent = batch.failedOn.count >= settings.attempts && batch.leases.isEmpty
        guard isFinal || isSpent else { return [failed] }
        batches[id] = nil
        batches.settle(dead: 1)
        let letter = DeadLetter(batch: id, failures: batch.failedOn.count, reason: reason)
        return [failed] + batch.leases.map { .cancelLease(id, $0.fence, at: $0.node) } + [
            .bury(letter), .record(Occurrence(.batchDied, node: node, batch: id, reason)),
        ]
    }

    /// Takes a batch out of a trainer's hands: back to its holder, or to be produced again when that is lost.
    mutating func putBack(_ id: BatchID) {
        guard var batch = batches[id] else { return }
        batch.uses = 0
        batch.samples = 0
        batch.after = nil
        batch.stage = batch.holder == nil ? .pending : .produced
        batches[id] = batch
    }

    /// Ends a committed batch.
    mutating func settle(_ id: BatchID) -> [Directive] {
        guard let batch = batches.remove(id) else { return [] }
        batches.settle(committed: 1)
        return batch.trajectory.map { [.release(id, $0.hash, at: $0.holder)] } ?? []
    }
}
