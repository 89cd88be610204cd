import ClusterMessages

/// Who gets the next trajectory and the next lease.
extension CoordinatorState {
    /// Gives waiting trajectories, oldest first, to the members with room, the least loaded first.
    ///
    /// A holder that is late, or that the trainer could not reach a moment ago, is passed over.
    mutating func assignTrajectories(_ survey: inout BatchLedger.Survey, now: Instant) -> [Directive] {
        if isOrdered { return assignInOrder(&survey, now: now) }
        guard survey.census.produced > 0 else { return [] }
        let trainers = round.members.filter { membership[$0]?.isPresent ?? false }
        var directives: [Directive] = []
        for trajectory in ledger.waiting where membership[trajectory.holder]?.standing == .alive {
            let able = trainers.filter { trainer in
                credits.admits(trajectory.byteCount, to: trainer, beside: survey.load(of: trainer))
                    && blocked[Route(trainer: trainer, holder: trajectory.holder)] == nil
                    && survey.unused[trainer, default: 0] < demand(of: trainer, survey) ?? .max
            }
            guard let trainer = able.min(by: { survey.load(of: $0).batches < survey.load(of: $1).batches })
            else {
                continue
            }
            directives.append(assign(trajectory, to: trainer, &survey, now: now))
        }
        return directives
    }

    /// Gives a waiting trajectory to a trainer.
    mutating func assign(
        _ trajectory: ProducedBatch,
        to trainer: NodeID,
        _ survey: inout BatchLedger.Survey,
        now: Instant
    ) -> Directive {
        ledger.assign(trajectory.batch, to: trainer, after: trajectory.after)
        if survey.load(of: trainer).batches == 0 { membership.began(trainer, now: now) }
        survey.census.produced -= 1
        survey.census.assigned += 1
        survey.unused[trainer, default: 0] += 1
        survey.loads[trainer, default: Load()].add(trajectory.byteCount)
        return .assign(trajectory, to: trainer)
    }

    /// Rollouts that may be given work and take any.
    var workers: [NodeID] {
        membership.present(.rollout)
            .filter { !$0.isDraining && !$0.isQuarantined && credits.window(of: $0.id).batches > 0 }
            .map(\.id)
    }

    func hasRoom(_ rollout: NodeID, _ survey: BatchLedger.Survey) -> Bool {
        credits.admits(ledger.expectedByteCount, to: rollout, beside: survey.load(of: rollout))
    }

    // MARK: Leases

    /// Leases pending batches, then new ones, as long as the lead is not reached, trainers have use for more
    /// and a rollout has room.
    mutating func grantLeases(_ survey: inout BatchLedger.Survey, now: Instant) -> [Directive] {
        let rollouts = workers
        var directives = isOrdered ? leaseInOrder(&survey, now: now) : []
        while survey.census.leased + survey.census.produced < settings.leadBatches {
            let able = rollouts.filter { hasRoom($0, survey) }
            guard !able.isEmpty, let (batch, node) = nextLease(able, of: rollouts, survey) else { break }
            if batch == nil { survey.census.pending += 1 }
            directives.append(lease(batch ?? ledger.issue(), to: node, &survey, now: now))
        }
        return directives
    }

    /// Leases a pending batch to a rollout.
    mutating func lease(
        _ batch: BatchID,
        to node: NodeID,
        _ survey: inout BatchLedger.Survey,
        now: Instant
    ) -> Directive {
        survey.census.pending -= 1
        survey.census.leased += 1
        survey.loads[node, default: Load()].add(ledger.expectedByteCount)
        return .grant(ledger.lease(batch, to: node, epoch: membership.epoch, now: now))
    }

    /// The next batch, nil for a new one, and who gets it: the least loaded of those it has failed on least.
    ///
    /// A batch waits for a rollout it has not failed on, if there is one, until there is nothing else to do.
    private func nextLease(_ able: [NodeID], of rollouts: [NodeID], _ survey: BatchLedger.Survey) -> (
        BatchID?, NodeID
    )? {
        let isIdle = survey.census.leased + survey.census.produced == 0
        if survey.census.pending > 0 {
            for batch in ledger.pending {
                let node = worker(for: batch, able, of: isIdle ? able : rollouts, survey)
                if let node { return (batch.id, node) }
            }
        }
        guard needsBatches(survey) else { return nil }
        return leastLoaded(able, survey).map { (nil, $0) }
    }

    /// Who of those `able` gets a batch: the least loaded, if no other rollout has failed on it less often.
    func worker(
        for batch: Batch,
        _ able: [NodeID],
        of rollouts: [NodeID],
        _ survey: BatchLedger.Survey
    ) -> NodeID? {
        func failures(on node: NodeID) -> Int { batch.failedOn.count { $0 == node } }
        let least = rollouts.map(failures).min() ?? 0
        return leastLoaded(able.filter { failures(on: $0) == least }, survey)
    }

    private func leastLoaded(_ nodes: [NodeID], _ survey: BatchLedger.Survey) -> NodeID? {
        nodes.min { survey.load(of: $0).batches < survey.load(of: $1).batches }
    }

    /// Lets idle rollouts make what others are late with, when there is nothing else that trainers could use.
    mutating func hedgeLeases(_ survey: inout BatchLedger.Survey, now: Instant) -> [Directive] {
        guard settings.hedging, survey.census.leased > 0, !isSupplied(survey) else { return [] }
        var idle = workers.filter { survey.load(of: $0).batches == 0 && hasRoom($0, survey) }
        guard !idle.isEmpty else { return [] }
        var directives: [Directive] = []
        for late in ledger.lateLeases(now: now) {
            let failedOn = ledger[late.batch]?.failedOn ?? []
            guard let place = idle.firstIndex(where: { $0 != late.node && !failedOn.contains($0) }),
                let lease = ledger.hedge(late.batch, at: idle[place], epoch: membership.epoch, now: now)
            else { continue }
            let node = idle.remove(at: place)
            survey.loads[node, default: Load()].add(ledger.expectedByteCount)
            let age = late.grantedAt.duration(to: now)
            let text = "node \(late.node) has had it for \(age)"
            directives += [.grant(lease), .record(Occurrence(.hedged, node: node, batch: late.batch, text))]
        }
        return directives
    }
}
