import ClusterMessages
import OrderedCollections

/// Who may produce what, and for how long.
extension BatchLedger {
    /// Batches that wait for a lease, in order of number.
    var pending: some Sequence<Batch> { batches.pending.numbers.lazy.compactMap { batches[$0] } }

    /// Leases the first pending batch, or a new one, to `node`.
    mutating func lease(to node: NodeID, epoch: UInt64, now: Instant) -> GrantedLease {
        lease(pending.first { _ in true }?.id ?? issue(), to: node, epoch: epoch, now: now)
    }

    /// Leases a pending batch to `node`.
    mutating func lease(_ id: BatchID, to node: NodeID, epoch: UInt64, now: Instant) -> GrantedLease {
        let lease = newLease(id, to: node, epoch: epoch, now: now)
        batches[id]?.stage = .leased(lease)
        return lease
    }

    /// Leases a batch that another node is late with to `node` too: the first result is taken.
    mutating func hedge(_ id: BatchID, at node: NodeID, epoch: UInt64, now: Instant) -> GrantedLease? {
        guard case .leased(let first, nil) = batches[id]?.stage, first.node != node else { return nil }
        let lease = newLease(id, to: node, epoch: epoch, now: now)
        batches[id]?.stage = .leased(first, hedge: lease)
        return lease
    }

    private mutating func newLease(_ id: BatchID, to node: NodeID, epoch: UInt64, now: Instant)
        -> GrantedLease
    {
        let attempt = batches[id]?.grants ?? 0
        batches[id]?.grants = attempt &+ 1
        return GrantedLease(
            batch: id,
            node: node,
            fence: Fence(epoch: epoch, attempt: attempt),
            grantedAt: now,
            deadline: now + terms.term(on: node)
        )
    }

    /// Leases without a hedge that take longer than almost any batch did, the oldest first.
    func lateLeases(now: Instant) -> [GrantedLease] {
        guard let tail = terms.tail else { return [] }
        let late = batches.batches(batches.leased).compactMap { batch -> GrantedLease? in
            guard case .leased(let lease, nil) = batch.stage else { return nil }
            return lease.grantedAt.duration(to: now) > tail ? lease : nil
        }
        return late.sorted { $0.grantedAt < $1.grantedAt }
    }

    // MARK: Time

    /// Prolongs a working node's leases, but for those it has overtaken.
    mutating func renewLeases(of node: NodeID, now: Instant) {
        let deadline = now + terms.term(on: node)
        changeAuditLeases(of: node) { $0.deadline = max($0.deadline, deadline) }
        for batch in batches.leased(to: node) {
            batches[batch.id]?.changeLeases(of: node) { lease in
                if !lease.isOvertaken { lease.deadline = max(lease.deadline, deadline) }
            }
        }
    }

    /// Moves all deadlines: time in which the coordinator itself stood still does not count.
    mutating func postpone(by pause: Duration) {
        changeAuditLeases { $0.deadline += pause }
        for id in batches.leased.numbers { batches[id]?.changeLeases { $0.deadline += pause } }
    }

    /// A node that finishes a later lease first may have lost the earlier one: its progress no longer counts
    /// for it.
    mutating func overtakeLeases(of node: NodeID, grantedBefore moment: Instant) {
        for batch in batches.leased(to: node) {
            batches[batch.id]?.changeLeases(of: node) { lease in
                if lease.grantedAt < moment { lease.isOvertaken = true }
            }
        }
    }

    /// Ends the leases whose deadline has come.
    mutating func expireLeases(now: Instant) -> [Directive] {
        let expired = batches.batches(batches.leased).flatMap(\.leases).filter { $0.deadline <= now }
        return expireAudits(now: now)
            + expired.flatMap { lease in
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
        endAudits(of: node, fence, hasFailed: true)
        guard batches[id]?.lease(of: node)?.fence == fence else { return [] }
        return fail(id, on: node, .leaseFailed, reason, isFinal: !isRetryable)
    }
}
