import ClusterMessages

/// Who gets the next trajectory and the next lease.
extension CoordinatorState {
    /// Gives waiting trajectories, oldest first, to the members with room, the least loaded first.
    ///
    /// A holder that is late, or that the trainer could not reach a moment ago, is passed over.
    mutating func assignTrajectories(_ survey: inout BatchLedger.Survey, now: Instant) -> [Directive] {
        guard survey.census.produced > 0 else { return [] }
        let trainers = round.members.filter { membership[$0]?.isPresent ?? false }
        var directives: [Directive] = []
        for trajectory in ledger.waiting where membership[trajectory.holder]?.standing == .alive {
            let able = trainers.filter {
                credits.admits(trajectory.byteCount, to: $0, beside: survey.load(of: $0))
                    && blocked[Route(trainer: $0, holder: trajectory.holder)] == nil
            }
            guard let trainer = able.min(by: { survey.load(of: $0).batches < survey.load(of: $1).batches })
            else {
                continue
            }
            ledger.assign(trajectory.batch, to: trainer)
            if survey.load(of: trainer).batches == 0 { membership.began(trainer, now: now) }
            survey.census.produced -= 1
            survey.census.assigned += 1
            survey.loads[trainer, default: Load()].batches += 1
            survey.loads[trainer, default: Load()].byteCount += trajectory.byteCount
            directives.append(.assign(trajectory, to: trainer))
        }
        return directives
    }

    /// Leases pending batches, then new ones, as long as the lead is not reached and a rollout has room.
    ///
    /// A batch goes to a rollout it has not failed on, if there is one, and among those to the least loaded.
    mutating func grantLeases(_ survey: inout BatchLedger.Survey, now: Instant) -> [Directive] {
        let rollouts = membership.present(.rollout).filter { !$0.isDraining }.map(\.id)
        var directives: [Directive] = []
        while survey.census.leased + survey.census.produced < settings.leadBatches {
            let able = rollouts.filter {
                credits.admits(ledger.expectedByteCount, to: $0, beside: survey.load(of: $0))
            }
            let failedOn = ledger.firstPending?.failedOn ?? []
            let best = able.min { left, right in
                let (failed, other) = (failedOn.contains(left), failedOn.contains(right))
                return failed == other
                    ? survey.load(of: left).batches < survey.load(of: right).batches : !failed
            }
            guard let best else { break }
            directives.append(.grant(ledger.lease(to: best, epoch: membership.epoch, now: now)))
            survey.census.leased += 1
            survey.loads[best, default: Load()].batches += 1
            survey.loads[best, default: Load()].byteCount += ledger.expectedByteCount
        }
        return directives
    }
}
