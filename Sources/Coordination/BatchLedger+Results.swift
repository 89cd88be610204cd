import ClusterMessages
import OrderedCollections

/// What rollouts deliver, report and lose.
extension BatchLedger {
    /// Takes a result from whoever delivers it first; `fence` is nil for one reported in a hello.
    ///
    /// A second result with the same hash verifies the first; with another hash it is a divergence, and the
    /// first wins.
    mutating func produced(
        _ id: BatchID,
        _ fence: Fence?,
        _ hash: ContentHash,
        byteCount: Int,
        by node: NodeID,
        machine: String = "",
        now: Instant
    ) -> [Directive] {
        let claim = Audit.Claim(node: node, machine: machine, hash: hash)
        let first = batches[id]?.claim
        let directives = take(id, fence, claim, byteCount: byteCount, now: now)
        return directives + testify(id, claim, after: first)
    }

    private mutating func take(
        _ id: BatchID,
        _ fence: Fence?,
        _ claim: Audit.Claim,
        byteCount: Int,
        now: Instant
    ) -> [Directive] {
        let (node, hash) = (claim.node, claim.hash)
        guard var batch = batches[id] else { return [.release(id, hash, at: node)] }
        var directives: [Directive] = []
        if let first = batch.hash, first != hash {
            let text = "got \(hash.abbreviated), the first result was \(first.abbreviated)"
            directives.append(.record(Occurrence(.diverged, node: node, batch: id, text)))
        }
        switch batch.stage {
        case .pending, .leased:
            let own = batch.lease(of: node)
            if let own {
                terms.record(own.grantedAt.duration(to: now), on: node)
                overtakeLeases(of: node, grantedBefore: own.grantedAt)
            }
            for lease in batch.leases where lease.node != node {
                directives.append(.cancelLease(id, lease.fence, at: lease.node))
            }
            if let fence, !batch.leases.contains(where: { $0.fence == fence }) {
                directives.append(.record(Occurrence(.lateResult, node: node, batch: id, "fence \(fence)")))
            }
            batch.hash = hash
            batch.claim = claim
            batch.byteCount = min(max(0, byteCount), 1 << 40)
            batch.holder = node
            batch.stage = .produced
            batches[id] = batch
            batches.expect(batch.byteCount)
        case .produced, .assigned, .consumed:
            if batch.holder == nil, batch.hash == hash {
                batches[id]?.holder = node
                batches[id]?.byteCount = min(max(0, byteCount), 1 << 40)
            } else if batch.holder != node || batch.hash != hash {
                directives.append(.release(id, hash, at: node))
                directives.append(.record(Occurrence(.repeatedResult, node: node, batch: id)))
            }
        }
        return directives
    }

    /// Brings the ledger and a rollout's own account of what it holds together.
    ///
    /// The rollout is right about trajectories. Its leases it keeps, unless somebody else has the batch by
    /// now; leases it does not know are sent again.
    mutating func reconcile(_ arrival: Arrival, as node: NodeID, now: Instant) -> [Directive] {
        var directives: [Directive] = []
        for held in arrival.trajectories {
            directives += produced(
                held.batch,
                nil,
                held.hash,
                byteCount: held.byteCount,
                by: node,
                machine: arrival.machine,
                now: now
            )
        }
        endAudits(of: node, hasFailed: false)
        let held = Set(arrival.trajectories.map(\.batch))
        directives += dropHolder(node) { !held.contains($0) }
        for held in arrival.leases {
            switch batches[held.batch]?.stage {
            case .pending: adopt(held, by: node, now: now)
            case .leased where batches[held.batch]?.lease(of: node) != nil: break
            case .leased, .produced, .assigned, .consumed, nil:
                directives.append(.cancelLease(held.batch, held.fence, at: node))
            }
        }
        let known = Set(arrival.leases.map(\.batch))
        return directives
            + batches.leased(to: node).compactMap { $0.lease(of: node) }.filter { !known.contains($0.batch) }
            .map { .grant($0) }
    }

    private mutating func adopt(_ held: Arrival.HeldLease, by node: NodeID, now: Instant) {
        guard var batch = batches[held.batch] else { return }
        // A peer chose the number, so the sum must not trap; a later lease differs by its epoch in any case.
        batch.grants = max(batch.grants, held.fence.attempt &+ 1)
        let deadline = now + terms.term(on: node)
        batch.stage = .leased(
            GrantedLease(batch: held.batch, node: node, fence: held.fence, grantedAt: now, deadline: deadline)
        )
        batches[held.batch] = batch
    }

    /// Takes back everything a lost rollout had; `fault` is why its leases count as failed tries, nil if they
    /// do not.
    mutating func lose(rollout node: NodeID, fault: String?) -> [Directive] {
        terms.forget(node)
        endAudits(of: node, hasFailed: false)
        var directives = dropHolder(node) { _ in true }
        for lease in batches.leased(to: node).compactMap({ $0.lease(of: node) }) {
            if let fault {
                directives += fail(lease.batch, on: node, .leaseFailed, fault)
            } else {
                batches[lease.batch]?.endLease(of: node)
            }
        }
        return directives
    }

    /// Lets a rollout that is about to leave drop what trainers have begun to use: they have the bytes.
    mutating func releaseUsed(heldBy node: NodeID) -> [Directive] {
        batches.values.filter { $0.holder == node && $0.uses > 0 }.compactMap { batch in
            batches[batch.id]?.holder = nil
            return batch.hash.map { .release(batch.id, $0, at: node) }
        }
    }

    /// Has a waiting batch made again, by another node than its holder if possible.
    mutating func abandonCopy(of id: BatchID) {
        guard var batch = batches[id], batch.stage == .produced, let holder = batch.holder else { return }
        batch.failedOn.append(holder)
        batch.holder = nil
        batch.stage = .pending
        batches[id] = batch
    }

    /// Forgets that `node` holds trajectories.
    ///
    /// One already assigned stays so: the trainer may have its bytes, and reports when it cannot get them.
    private mutating func dropHolder(_ node: NodeID, where isLost: (BatchID) -> Bool) -> [Directive] {
        batches.values.filter { $0.holder == node && isLost($0.id) }.compactMap { batch in
            batches[batch.id]?.holder = nil
            guard batch.stage == .produced else { return nil }
            batches[batch.id]?.stage = .pending
            return .record(Occurrence(.trajectoryLost, node: node, batch: batch.id))
        }
    }
}
