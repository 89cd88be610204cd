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

        /// What is outstanding with a node.
        package func load(of node: NodeID) -> Load { loads[node] ?? Load() }
    }

    /// Batches ever issued; batch numbers are below it.
    package internal(set) var issued: UInt64
    /// Unsettled batches in order of number; any other number below ``issued`` is committed or dead.
    var batches: OrderedDictionary<BatchID, Batch> = [:]
    var terms: LeaseTerms
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
            case .leased(let lease):
                survey.census.leased += 1
                survey.loads[lease.node, default: Load()].batches += 1
                survey.loads[lease.node, default: Load()].byteCount += expectedByteCount
            case .produced: survey.census.produced += 1
            case .assigned(let trainer):
                survey.census.assigned += 1
                survey.loads[trainer, default: Load()].batches += 1
                survey.loads[trainer, default: Load()].byteCount += batch.byteCount
            case .consumed: survey.census.consumed += 1
            }
            if let holder = batch.holder {
                survey.loads[holder, default: Load()].byteCount += batch.byteCount
            }
            if let trainer = batch.trainer, batch.samples > 0 {
                survey.samples[trainer, default: 0] += batch.samples
            }
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

    // MARK: Leases

    /// The batch to lease next, if one was issued and is pending.
    var firstPending: Batch? { batches.values.first { $0.stage == .pending } }

    /// Leases the first pending batch, or a new one, to `node`.
    mutating func lease(to node: NodeID, epoch: UInt64, now: Instant) -> GrantedLease {
        let id = firstPending?.id ?? issue()
        let lease = GrantedLease(
            batch: id,
            node: node,
            fence: Fence(epoch: epoch, attempt: batches[id]?.leases ?? 0),
            grantedAt: now,
            deadline: now + terms.term(on: node)
        )
        batches[id]?.leases += 1
        batches[id]?.stage = .leased(lease)
        return lease
    }

    /// Prolongs a working node's leases, but for those it has overtaken.
    mutating func renewLeases(of node: NodeID, now: Instant) {
        let deadline = now + terms.term(on: node)
        for batch in batches.values {
            guard var lease = batch.lease, lease.node == node, !lease.isOvertaken else { continue }
            lease.deadline = max(lease.deadline, deadline)
            batches[batch.id]?.stage = .leased(lease)
        }
    }

    /// Moves all deadlines: time in which the coordinator itself stood still does not count.
    mutating func postpone(by pause: Duration) {
        for batch in batches.values {
            guard var lease = batch.lease else { continue }
            lease.deadline += pause
            batches[batch.id]?.stage = .leased(lease)
        }
    }

    /// Ends the leases whose deadline has come.
    mutating func expireLeases(now: Instant) -> [Directive] {
        batches.values.compactMap(\.lease).filter { $0.deadline <= now }.flatMap { lease in
            let age = lease.grantedAt.duration(to: now)
            return [.cancelLease(lease.batch, lease.fence, at: lease.node)]
                + fail(
                    lease.batch,
                    on: lease.node,
                    .leaseExpired,
                    "no result and no progress, \(age) after the grant"
                )
        }
    }

    /// Ends a lease its holder gave up; an older lease's failure says nothing about the present one.
    mutating func leaseFailed(
        _ id: BatchID,
        _ fence: Fence,
        at node: NodeID,
        isRetryable: Bool,
        _ reason: String
    ) -> [Directive] {
        guard let lease = batches[id]?.lease, lease.node == node, lease.fence == fence else { return [] }
        return fail(id, on: node, .leaseFailed, reason, isFinal: !isRetryable)
    }

    // MARK: Ends

    /// Counts a failed try: the batch is pending again, or dead when its tries are used up.
    mutating func fail(
        _ id: BatchID,
        on node: NodeID,
        _ kind: Occurrence.Kind,
        _ reason: String,
        isFinal: Bool = false
    ) -> [Directive] {
        guard var batch = batches[id] else { return [] }
        batch.stage = .pending
        batch.failedOn.append(node)
        batches[id] = batch
        let failed = Directive.record(Occurrence(kind, node: node, batch: id, reason))
        guard isFinal || batch.failedOn.count >= settings.attempts else { return [failed] }
        batches.removeValue(forKey: id)
        deadCount += 1
        let letter = DeadLetter(batch: id, failures: batch.failedOn.count, reason: reason)
        return [failed, .bury(letter), .record(Occurrence(.batchDied, node: node, batch: id, reason))]
    }

    /// Takes a batch out of a trainer's hands: back to its holder, or to be produced again when that is lost.
    mutating func putBack(_ id: BatchID) {
        guard var batch = batches[id] else { return }
        batch.uses = 0
        batch.samples = 0
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
