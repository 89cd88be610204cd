import ClusterMessages

/// How many batches the run can still use.
extension CoordinatorState {
    /// Batches that a trainer may yet begin before the run ends; nil when nobody knows what a round needs.
    ///
    /// Those it has and did not use count. A trainer outside the open round, or whose offer is complete, needs
    /// batches for the rounds after it only.
    func demand(of trainer: NodeID, _ survey: BatchLedger.Survey) -> Int? {
        guard let need = settings.batchesPerRound else { return nil }
        let isLeaving = isDraining || membership[trainer]?.isDraining ?? true
        let roundsAfter = isLeaving ? 0 : Int(clamping: settings.rounds - parameters.round.rawValue) - 1
        let (later, isHuge) = max(0, roundsAfter).multipliedReportingOverflow(by: need)
        guard !isHuge else { return nil }
        let now = max(0, need - survey.begun[trainer, default: 0])
        return later + (isDone(trainer, survey) ? 0 : now)
    }

    private func isDone(_ trainer: NodeID, _ survey: BatchLedger.Survey) -> Bool {
        switch round.phase {
        case .waiting: membership[trainer]?.isDraining ?? true
        case .ringing, .closing: true
        case .open:
            !round.members.contains(trainer) || round.isCounted(trainer, samples: survey.samples)
        }
    }

    /// Whether another batch would find a round that uses it.
    ///
    /// What is held where some trainer cannot get it is left out of the account: it may come too late.
    package func needsBatches(_ survey: BatchLedger.Survey) -> Bool {
        guard let need = settings.batchesPerRound else { return true }
        var demand = 0
        let trainers = membership.present(.trainer)
        for trainer in trainers {
            guard let own = self.demand(of: trainer.id, survey) else { return true }
            // What a trainer has beyond its own use, nobody else can use.
            demand += own - min(own, survey.unused[trainer.id, default: 0])
        }
        // Those yet to come need at least this much.
        let isFirst = round.number == RoundNumber.initial.next && round.phase == .waiting
        let expected = isFirst ? settings.trainersAtStart : 1
        if trainers.count < expected {
            let rounds = isDraining ? 1 : Int(clamping: settings.rounds - parameters.round.rawValue)
            let (each, isHuge) = rounds.multipliedReportingOverflow(by: need)
            guard !isHuge else { return true }
            demand += each * (expected - trainers.count)
        }
        let coming = survey.census.pending + survey.census.leased
        // Who can reach what is looked at only where it makes a difference.
        if coming >= demand { return false }
        return coming + survey.census.produced < demand || coming + reachableCount(survey) < demand
    }

    private func reachableCount(_ survey: BatchLedger.Survey) -> Int {
        guard survey.census.produced > 0 else { return 0 }
        let unreached = Set(blocked.keys.map(\.holder))
        return ledger.waiting.count {
            membership[$0.holder]?.standing == .alive && !unreached.contains($0.holder)
        }
    }
}
