import ClusterMessages
import OrderedCollections

/// Which batch is whose, where that must not depend on who is quicker.
///
/// A batch that nobody has belongs to the member whose turn its number is, and each member uses its batches in
/// order of number. So what a trainer trains on in a round follows from the round's members and from what was
/// settled before it; what is lost, repeated or late on the way only costs time.
extension CoordinatorState {
    /// One member's batches of a round, in the order of their use; numbers not issued yet may be among them.
    struct Turn {
        let trainer: NodeID
        var batches: [BatchID] = []
    }

    var isOrdered: Bool { settings.assignment == .ordered }

    /// The members in the order of their turns: of their names, so that it does not matter who came first.
    var lineup: [NodeID] {
        round.members.sorted { left, right in
            let (leftName, rightName) = (membership[left]?.name ?? "", membership[right]?.name ?? "")
            return leftName == rightName ? left < right : leftName < rightName
        }
    }

    /// The batches of every member that is here, or worth waiting for.
    func turns() -> [Turn] {
        guard isOrdered, let need = settings.batchesPerRound else { return [] }
        let lineup = lineup
        guard !lineup.isEmpty else { return [] }
        var turns = lineup.map { Turn(trainer: $0) }
        for batch in ledger.batches.values {
            let turn = Int(batch.id.rawValue % UInt64(lineup.count))
            guard let place = batch.trainer.map({ lineup.firstIndex(of: $0) }) ?? turn,
                turns[place].batches.count < need
            else { continue }
            turns[place].batches.append(batch.id)
        }
        for place in turns.indices {
            var next = ledger.issued
            while turns[place].batches.count < need {
                if Int(next % UInt64(lineup.count)) == place { turns[place].batches.append(BatchID(next)) }
                next += 1
            }
        }
        let expected = expected
        return turns.filter { turn in
            expected.contains(turn.trainer) || membership[turn.trainer]?.isPresent ?? false
        }
    }

    /// Gives each member its trajectories in the order of their use, and tells it anew what it begins before
    /// one where that has changed: a batch was given up, or the members are others.
    mutating func assignInOrder(now: Instant) -> [Directive] {
        var directives: [Directive] = []
        for turn in turns() where membership[turn.trainer]?.isPresent ?? false {
            var before: BatchID?
            for id in turn.batches {
                guard let batch = ledger[id] else { break }
                if batch.stage == .produced, var trajectory = batch.trajectory {
                    guard canFetch(trajectory, turn.trainer) else { break }
                    trajectory.after = before
                    directives.append(assign(trajectory, to: turn.trainer, now: now))
                } else if batch.trainer == nil {
                    break
                } else if batch.uses == 0, batch.after != before {
                    ledger.putBack(id)
                    // One that nobody serves any more is made again.
                    guard var trajectory = ledger[id]?.trajectory else { break }
                    trajectory.after = before
                    ledger.assign(id, to: turn.trainer, after: before)
                    directives.append(.assign(trajectory, to: turn.trainer))
                }
                before = id
            }
        }
        return directives
    }

    private func canFetch(_ trajectory: ProducedBatch, _ trainer: NodeID) -> Bool {
        membership[trajectory.holder]?.standing == .alive
            && blocked[Route(trainer: trainer, holder: trajectory.holder)] == nil
            && credits.admits(trajectory.byteCount, to: trainer, beside: ledger.load(of: trainer))
    }

    /// Leases what the open round needs, lowest number first, whatever else waits.
    ///
    /// No later batch can be used instead of it. Each member has its share of the lead, and one batch beyond the
    /// lead when it has nothing coming: others may fill it with what is of no use yet.
    mutating func leaseInOrder(now: Instant) -> [Directive] {
        let (turns, rollouts) = (turns(), workers)
        let share = max(1, settings.leadBatches / max(1, turns.count))
        var ahead: [NodeID: Int] = [:]
        var directives: [Directive] = []
        let needed = turns.flatMap { turn in turn.batches.map { (batch: $0, trainer: turn.trainer) } }
        for (id, trainer) in needed.sorted(by: { $0.batch < $1.batch }) {
            switch ledger[id]?.stage {
            case .leased, .produced: ahead[trainer, default: 0] += 1
            case .assigned, .consumed: break
            case .pending, nil:
                let own = ahead[trainer, default: 0]
                guard own < share, own == 0 || ledger.leadCount < settings.leadBatches else { continue }
                let able = inTurn(rollouts.filter(hasRoom))
                guard !able.isEmpty else { return directives }
                ledger.extend(to: id)
                let isIdle = ledger.survey().census.leased == 0
                guard let batch = ledger[id],
                    let node = worker(for: batch, able, of: isIdle ? able : rollouts)
                else { continue }
                directives.append(lease(id, to: node, now: now))
                ahead[trainer, default: 0] += 1
            }
        }
        return directives
    }

    /// Whether a trajectory waits that a trainer could use next.
    func isSupplied(_ survey: BatchLedger.Survey) -> Bool {
        guard survey.census.produced > 0, isOrdered else { return survey.census.produced > 0 }
        return turns().contains { turn in turn.batches.contains { ledger[$0]?.stage == .produced } }
    }

    /// Lets another rollout make a batch that its trainer could not get, if one is there that it was not asked
    /// of yet.
    mutating func reroute(_ id: BatchID, around holder: NodeID, for trainer: NodeID) -> [Directive] {
        guard let batch = ledger[id], batch.stage == .produced, batch.holder == holder, let hash = batch.hash,
            workers.contains(where: { $0 != holder && !batch.failedOn.contains($0) })
        else { return [] }
        ledger.abandonCopy(of: id)
        let text = "trainer \(trainer) could not reach its holder"
        return [
            .release(id, hash, at: holder),
            .record(Occurrence(.trajectoryLost, node: holder, batch: id, text)),
        ]
    }
}
