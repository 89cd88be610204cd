import ClusterMessages

/// Who gets the next trajectory and the next lease.
extension CoordinatorState {
    /// Gives waiting trajectories, oldest first, to the members with room, the least loaded first.
    ///
    /// A holder that is late, or that the trainer could not reach a moment ago, is passed over.
    mutating func assignTrajectories(now: Instant) -> [Directive] {
        if isOrdered { return assignInOrder(now: now) }
        guard ledger.survey().census.produced > 0 else { return [] }
        // Trainers without room for the smallest trajectory need not be asked about each of them.
        var open = round.members.filter(takesMore)
        guard !open.isEmpty else { return [] }
        var directives: [Directive] = []
        for trajectory in ledger.waiting where membership[trajectory.holder]?.standing == .alive {
            let able = open.filter { trainer in
                credits.admits(trajectory.byteCount, to: trainer, beside: ledger.load(of: trainer))
                    && blocked[Route(trainer: trainer, holder: trajectory.holder)] == nil
            }
            guard let trainer = leastLoaded(able) else { continue }
            directives.append(assign(trajectory, to: trainer, now: now))
            if !takesMore(trainer) {
                open.removeAll { $0 == trainer }
                if open.isEmpty { break }
            }
        }
        return directives
    }

    /// Gives a waiting trajectory to a trainer.
    mutating func assign(_ trajectory: ProducedBatch, to trainer: NodeID, now: Instant) -> Directive {
        if ledger.load(of: trainer).batches == 0 { membership.began(trainer, now: now) }
        ledger.assign(trajectory.batch, to: trainer, after: trajectory.after)
        return .assign(trajectory, to: trainer)
    }

    /// Whether a trainer is here, has room for a batch and a use for it.
    private func takesMore(_ trainer: NodeID) -> Bool {
        guard membership[trainer]?.isPresent ?? false,
            credits.admits(0, to: trainer, beside: ledger.load(of: trainer))
        else { return false }
        let survey = ledger.survey()
        return survey.unused[trainer, default: 0] < demand(of: trainer, survey) ?? .max
    }

    // MARK: Rollouts

    /// Whether a rollout may be given work and takes any.
    private func isWorker(_ node: NodeID) -> Bool {
        guard let known = membership[node], known.role == .rollout, known.isPresent else { return false }
        return !known.isDraining && !known.isQuarantined && credits.window(of: node).batches > 0
    }

    /// Rollouts that may be given work and take any.
    var workers: [NodeID] { membership.ids(of: .rollout).filter(isWorker) }

    /// Whether one more lease fits into a rollout's credit.
    func hasRoom(_ rollout: NodeID) -> Bool {
        credits.admits(ledger.expectedByteCount, to: rollout, beside: ledger.load(of: rollout))
    }

    /// Rollouts that have room for one more lease, in turn.
    ///
    /// Only those are looked at that have got room since the last look, or had some then.
    mutating func vacancies() -> [NodeID] {
        vacant.formUnion(ledger.takeRelieved())
        let able = vacant.filter { isWorker($0) && hasRoom($0) }
        vacant = able
        return inTurn(able.sorted())
    }

    /// Rollouts in order of number, beginning behind the one that got the last lease: when there is little to do, all
    /// get some of it.
    func inTurn(_ rollouts: [NodeID]) -> [NodeID] {
        guard let last = lastLeased, let next = rollouts.firstIndex(where: { $0 > last }) else {
            return rollouts
        }
        return Array(rollouts[next...] + rollouts[..<next])
    }

    /// The node with the fewest batches; of several, the first.
    func leastLoaded(_ nodes: [NodeID]) -> NodeID? {
        nodes.count < 2
            ? nodes.first : nodes.min { ledger.load(of: $0).batches < ledger.load(of: $1).batches }
    }

    // MARK: Leases

    /// Leases pending batches, then new ones, as long as the lead is not reached, trainers have use for more
    /// and a rollout has room.
    mutating func grantLeases(now: Instant) -> [Directive] {
        var directives = isOrdered ? leaseInOrder(now: now) : []
        while ledger.leadCount < settings.leadBatches {
            let able = vacancies()
            guard !able.isEmpty, let (batch, node) = nextLease(able) else { break }
            directives.append(lease(batch ?? ledger.issue(), to: node, now: now))
        }
        return directives
    }

    /// Leases a pending batch to a rollout.
    mutating func lease(_ batch: BatchID, to node: NodeID, now: Instant) -> Directive {
        lastLeased = node
        return .grant(ledger.lease(batch, to: node, epoch: membership.epoch, now: now))
    }

    /// The next batch, nil for a new one, and who gets it: the least loaded of those it has failed on least.
    ///
    /// A batch waits for a rollout it has not failed on, if there is one, until there is nothing else to do.
    private func nextLease(_ able: [NodeID]) -> (BatchID?, NodeID)? {
        for batch in ledger.pending {
            // Most never failed, and anybody may have them.
            guard !batch.failedOn.isEmpty else { return leastLoaded(able).map { (batch.id, $0) } }
            let node = worker(for: batch, able, of: ledger.leadCount == 0 ? able : workers)
            if let node { return (batch.id, node) }
        }
        guard needsBatches(ledger.survey()) else { return nil }
        return leastLoaded(able).map { (nil, $0) }
    }

    /// Who of those `able` gets a batch: the least loaded, if none of those `asked` has failed on it less often.
    func worker(for batch: Batch, _ able: [NodeID], of asked: [NodeID]) -> NodeID? {
        func failures(on node: NodeID) -> Int { batch.failedOn.count { $0 == node } }
        let least = asked.map(failures).min() ?? 0
        return leastLoaded(able.filter { failures(on: $0) == least })
    }

    /// Lets idle rollouts make what others are late with, when there is nothing else that trainers could use.
    mutating func hedgeLeases(now: Instant) -> [Directive] {
        let survey = ledger.survey()
        guard settings.hedging, survey.census.leased > 0, !isSupplied(survey) else { return [] }
        var idle = vacancies().filter { ledger.load(of: $0).batches == 0 }
        guard !idle.isEmpty else { return [] }
        var directives: [Directive] = []
        for late in ledger.lateLeases(now: now) {
            let failedOn = ledger[late.batch]?.failedOn ?? []
            guard let place = idle.firstIndex(where: { $0 != late.node && !failedOn.contains($0) }),
                let lease = ledger.hedge(late.batch, at: idle[place], epoch: membership.epoch, now: now)
            else { continue }
            let node = idle.remove(at: place)
            let age = late.grantedAt.duration(to: now)
            let text = "node \(late.node) has had it for \(age)"
            directives += [.grant(lease), .record(Occurrence(.hedged, node: node, batch: late.batch, text))]
        }
        return directives
    }
}
