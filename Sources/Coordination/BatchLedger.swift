package import ClusterMessages
import OrderedCollections

/// Where every batch is, from its issue to its commit or death.
///
/// `pending → leased → produced → assigned → consumed → committed`; a lease that ends, a holder or trainer
/// that is lost and a round that excludes a trainer send batches back. Batches are issued in the order of the
/// corpus, so the number issued is the data cursor. A trajectory is a pure function of its batch: a result is
/// welcome from anyone, whatever its fence, as long as nobody delivered before.
package struct BatchLedger: Sendable {
    /// What one look over the unsettled batches tells.
    package struct Survey: Sendable {
        /// How many batches are where.
        package var census = Census()
        /// What is outstanding with each node.
        package var loads: [NodeID: Load] = [:]
        /// Samples of the open round by trainer, which weigh its offer.
        package var samples: [NodeID: Int] = [:]
        /// Batches a trainer has used in the open round, used up or not.
        var begun: [NodeID: Int] = [:]
        /// Batches a trainer has and did not use yet.
        var unused: [NodeID: Int] = [:]

        /// What is outstanding with a node.
        package func load(of node: NodeID) -> Load { loads[node] ?? Load() }
    }

    /// Batches ever issued; batch numbers are below it.
    package internal(set) var issued: UInt64
    /// Unsettled batches in order of number; any other number below ``issued`` is committed or dead.
    var batches: OrderedDictionary<BatchID, Batch> = [:]
    var terms: LeaseTerms
    /// Batches being made again.
    var audits: OrderedDictionary<BatchID, Audit> = [:]
    /// Nodes outvoted by others, each with the batch that shows it.
    var accused: [NodeID: BatchID] = [:]
    /// The largest trajectory seen, which is what a lease is expected to make.
    var expectedByteCount = 0
    let settings: CoordinationSettings
    private var committedCount: Int
    private var deadCount: Int

    /// The ledger of a snapshot: what is neither committed nor dead is pending.
    init(restoring snapshot: RunSnapshot, settings: CoordinationSettings) {
        self.settings = settings
        terms = LeaseTerms(floor: settings.leaseFloor, factor: settings.leaseFactor)
        let committed = Set(snapshot.committed)
        let settled = committed.union(snapshot.dead)
        committedCount = committed.count
        deadCount = settled.count - committed.count
        issued = max(snapshot.issued, settled.max().map { $0.rawValue + 1 } ?? 0)
        for number in 0..<issued where !settled.contains(BatchID(number)) {
            batches[BatchID(number)] = Batch(BatchID(number))
        }
    }

    /// An unsettled batch.
    subscript(id: BatchID) -> Batch? { batches[id] }

    /// Counts batches, loads and samples in one pass.
    package func survey() -> Survey {
        var survey = Survey()
        survey.census.committed = committedCount
        survey.census.dead = deadCount
        for batch in batches.values {
            switch batch.stage {
            case .pending: survey.census.pending += 1
            case .leased(let lease, let hedge):
                survey.census.leased += 1
                survey.loads[lease.node, default: Load()].add(expectedByteCount)
                if let hedge { survey.loads[hedge.node, default: Load()].add(expectedByteCount) }
            case .produced: survey.census.produced += 1
            case .assigned(let trainer):
                survey.census.assigned += 1
                survey.loads[trainer, default: Load()].add(batch.byteCount)
                if batch.uses == 0 { survey.unused[trainer, default: 0] += 1 }
            case .consumed: survey.census.consumed += 1
            }
            if let holder = batch.holder {
                survey.loads[holder, default: Load()].byteCount += batch.byteCount
            }
            if batch.uses > 0, let trainer = batch.trainer {
                survey.samples[trainer, default: 0] += batch.samples
                survey.begun[trainer, default: 0] += 1
            }
        }
        for lease in audits.values.compactMap(\.lease) {
            survey.loads[lease.node, default: Load()].add(expectedByteCount)
        }
        return survey
    }

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
        batches.removeValue(forKey: id)
        deadCount += 1
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
        guard let batch = batches.removeValue(forKey: id) else { return [] }
        committedCount += 1
        return batch.trajectory.map { [.release(id, $0.hash, at: $0.holder)] } ?? []
    }
}
