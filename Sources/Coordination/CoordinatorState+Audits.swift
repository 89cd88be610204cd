import ClusterMessages
import OrderedCollections

/// How nodes are compared with each other, and what becomes of one that disagrees.
extension CoordinatorState {
    /// Leases audited batches to nodes that did not make them and have the same kind of processor.
    mutating func grantAudits(now: Instant) -> [Directive] {
        var directives: [Directive] = []
        for audit in ledger.audits.values where audit.lease == nil {
            let able = vacancies().filter { audit.asks($0, machine: membership[$0]?.machine ?? "") }
            let node = leastLoaded(able)
            guard let node,
                let lease = ledger.audit(audit.batch, at: node, epoch: membership.epoch, now: now)
            else { continue }
            directives.append(.grant(lease))
        }
        return directives
    }

    /// Takes a result, unless its maker is not believed any more.
    mutating func produced(
        _ batch: BatchID,
        _ fence: Fence,
        _ hash: ContentHash,
        byteCount: Int,
        by node: NodeID,
        now: Instant
    ) -> [Directive] {
        guard let maker = membership[node], !maker.isQuarantined else {
            return [.release(batch, hash, at: node)]
        }
        let directives = ledger.produced(
            batch,
            fence,
            hash,
            byteCount: byteCount,
            by: node,
            machine: maker.machine,
            now: now
        )
        return directives + quarantineAccused()
    }

    /// Takes a rollout's account of what it holds, of which nothing is kept in quarantine.
    mutating func reconciled(_ arrival: Arrival, as node: NodeID, now: Instant) -> [Directive] {
        if membership[node]?.isQuarantined ?? false {
            return arrival.trajectories.map { .release($0.batch, $0.hash, at: node) }
                + arrival.leases.map { .cancelLease($0.batch, $0.fence, at: node) }
        }
        for batch in arrival.trajectories.map(\.batch) + arrival.leases.map(\.batch) {
            adopt(batch, now: now)
        }
        return ledger.reconcile(arrival, as: node, now: now) + quarantineAccused()
    }

    private mutating func quarantineAccused() -> [Directive] {
        ledger.takeAccused().sorted { $0.key < $1.key }.flatMap { node, batch -> [Directive] in
            guard let known = membership[node], !known.isQuarantined else { return [] }
            membership.quarantine(node)
            let text = "two other nodes agree on batch \(batch), its result is another"
            return [.record(Occurrence(.quarantined, node: node, batch: batch, text))] + ledger.disown(node)
        }
    }
}
