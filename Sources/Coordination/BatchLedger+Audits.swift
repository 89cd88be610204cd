import ClusterMessages
import OrderedCollections

/// Which results are made a second time, by whom, and what that shows.
extension BatchLedger {
    /// Audits that wait at once; a batch beyond is not audited.
    private static let auditLimit = 64

    /// A batch's audit, while it is open.
    func audit(of batch: BatchID) -> Audit? { audits[batch] }

    /// Takes a node's result as a witness: an audit begins, goes on or ends with it.
    ///
    /// `first` is who made the result that stood before.
    mutating func testify(_ id: BatchID, _ claim: Audit.Claim, after first: Audit.Claim?) -> [Directive] {
        guard settings.auditShare > 0, var audit = audits[id] ?? begun(id, claim, after: first) else {
            return []
        }
        if audit.lease?.node == claim.node {
            audit.lease = nil
            batches.audit(at: claim.node, -1)
        }
        audit.add(claim)
        audits[id] = audit
        return conclude(audit)
    }

    /// The audit that a result begins: of the share chosen, and of any second result that differs.
    private func begun(_ id: BatchID, _ claim: Audit.Claim, after first: Audit.Claim?) -> Audit? {
        guard audits.count < Self.auditLimit, batches[id] != nil else { return nil }
        guard let first else {
            return Audit.isChosen(id, share: settings.auditShare) ? Audit(id, of: claim) : nil
        }
        let differs = first.node != claim.node && first.hash != claim.hash
        return differs && first.machine == claim.machine ? Audit(id, of: first) : nil
    }

    private mutating func conclude(_ audit: Audit) -> [Directive] {
        let id = audit.batch
        let directives: [Directive]
        switch audit.verdict {
        case .open: return []
        case .agreed:
            let nodes = audit.claims.map(\.node.description).joined(separator: " and ")
            directives = [.record(Occurrence(.audited, batch: id, "nodes \(nodes) agree"))]
        case .undecided:
            let nodes = audit.claims.map(\.node.description).joined(separator: ", ")
            directives = [.record(Occurrence(.audited, batch: id, "no two of the nodes \(nodes) agree"))]
        case .outvoted(let nodes):
            for node in nodes { accused[node] = id }
            directives = []
        }
        audits[id] = nil
        if let lease = audit.lease { batches.audit(at: lease.node, -1) }
        return directives + (audit.lease.map { [.cancelLease(id, $0.fence, at: $0.node)] } ?? [])
    }

    /// The nodes outvoted since the last call, each with the batch that shows it.
    mutating func takeAccused() -> [NodeID: BatchID] {
        defer { accused = [:] }
        return accused
    }

    // MARK: Leases

    /// The leases of all audits.
    var auditLeases: [GrantedLease] { audits.values.compactMap(\.lease) }

    /// Leases a batch that is audited to `node`.
    mutating func audit(_ id: BatchID, at node: NodeID, epoch: UInt64, now: Instant) -> GrantedLease? {
        guard var audit = audits[id], audit.lease == nil else { return nil }
        let attempt = batches[id]?.grants ?? Fence.settledAttempt + audit.grants
        batches[id]?.grants = attempt &+ 1
        audit.grants += 1
        let lease = GrantedLease(
            batch: id,
            node: node,
            fence: Fence(epoch: epoch, attempt: attempt),
            grantedAt: now,
            deadline: now + terms.term(on: node)
        )
        audit.lease = lease
        audits[id] = audit
        batches.audit(at: node, 1)
        return lease
    }

    /// Changes the leases of audits, those of one node or all.
    mutating func changeAuditLeases(of node: NodeID? = nil, _ change: (inout GrantedLease) -> Void) {
        for (id, audit) in audits {
            guard var lease = audit.lease, node == nil || lease.node == node else { continue }
            change(&lease)
            audits[id]?.lease = lease
        }
    }

    /// Ends a node's audits, or the one of a fence; it is asked for them no more if it failed.
    mutating func endAudits(of node: NodeID, _ fence: Fence? = nil, hasFailed: Bool) {
        for (id, audit) in audits {
            guard let lease = audit.lease, lease.node == node, fence == nil || lease.fence == fence else {
                continue
            }
            audits[id]?.lease = nil
            batches.audit(at: node, -1)
            if hasFailed { audits[id]?.failedOn.insert(node) }
        }
    }

    /// Ends the audits whose deadline has come.
    mutating func expireAudits(now: Instant) -> [Directive] {
        auditLeases.filter { $0.deadline <= now }.map { lease in
            endAudits(of: lease.node, lease.fence, hasFailed: true)
            return .cancelLease(lease.batch, lease.fence, at: lease.node)
        }
    }

    // MARK: Quarantine

    /// Forgets everything a node made that no trainer was told of, and takes its leases away.
    mutating func disown(_ node: NodeID) -> [Directive] {
        endAudits(of: node, hasFailed: true)
        var directives: [Directive] = []
        for var batch in batches.values {
            if let lease = batch.lease(of: node) {
                directives.append(.cancelLease(batch.id, lease.fence, at: node))
                batch.endLease(of: node)
            }
            if batch.stage == .produced, batch.holder == node {
                if let hash = batch.hash { directives.append(.release(batch.id, hash, at: node)) }
                batch.holder = nil
                batch.stage = .pending
            }
            if batch.trainer == nil, batch.claim?.node == node {
                batch.claim = nil
                batch.hash = nil
            }
            batches[batch.id] = batch
        }
        return directives
    }
}
