import ClusterMessages
import OrderedCollections

/// What trainers get, use and lose, and what a round makes of it.
extension BatchLedger {
    /// What became of a reported use.
    enum Verdict: Equatable {
        case counted([Directive])
        case repeated
        /// The trainer trained on what was not its to train on; its steps of this round are void.
        case conflict(String)
    }

    /// The most samples one use may claim.
    private static let sampleLimit = 1 << 20

    /// Trajectories that wait for a trainer, in order of batch.
    var waiting: [ProducedBatch] { batches.batches(batches.produced).compactMap(\.trajectory) }

    /// Repeats a trainer's unused assignments, which its hello made void; those nobody serves any more it
    /// loses.
    mutating func assignAgain(to trainer: NodeID) -> [Directive] {
        batches.values.filter { $0.stage == .assigned(to: trainer) && $0.uses == 0 }.compactMap { batch in
            if let trajectory = batch.trajectory { return .assign(trajectory, to: trainer) }
            putBack(batch.id)
            return nil
        }
    }

    /// Gives a waiting trajectory to a trainer, which is to begin another one before it.
    mutating func assign(_ id: BatchID, to trainer: NodeID, after before: BatchID? = nil) {
        precondition(batches[id]?.stage == .produced, "batch \(id) is not produced, so it cannot be assigned")
        batches[id]?.stage = .assigned(to: trainer)
        batches[id]?.after = before
    }

    /// Counts a use of the open round.
    ///
    /// A batch that was taken from the trainer while it was thought dead, or that a restarted coordinator
    /// knows nothing about, is given back to it unless another trainer has it.
    mutating func consume(_ use: Consumption, by trainer: NodeID) -> Verdict {
        guard var batch = batches[use.batch] else {
            return .conflict(
                use.batch.rawValue < issued
                    ? "batch \(use.batch) is settled" : "batch \(use.batch) is unknown"
            )
        }
        var directives: [Directive] = []
        switch batch.stage {
        case .assigned(let owner), .consumed(let owner):
            guard owner == trainer else { return .conflict("batch \(use.batch) belongs to trainer \(owner)") }
        case .leased:
            directives += batch.leases.map { .cancelLease(use.batch, $0.fence, at: $0.node) }
        case .pending, .produced:
            break
        }
        guard use.use > batch.uses else { return .repeated }
        guard use.use == batch.uses + 1, use.use <= settings.usesPerBatch else {
            return .conflict(
                "use \(use.use) of batch \(use.batch) after \(batch.uses) of \(settings.usesPerBatch)"
            )
        }
        guard (1...Self.sampleLimit).contains(use.samples) else {
            return .conflict("\(use.samples) samples of batch \(use.batch)")
        }
        if let first = batch.hash, first != use.hash {
            let text = "trained on \(use.hash.abbreviated), the first result was \(first.abbreviated)"
            directives.append(.record(Occurrence(.diverged, node: trainer, batch: use.batch, text)))
        }
        batch.hash = batch.hash ?? use.hash
        batch.uses += 1
        batch.samples += use.samples
        batch.stage = use.use == settings.usesPerBatch ? .consumed(by: trainer) : .assigned(to: trainer)
        batches[use.batch] = batch
        return .counted(directives)
    }

    /// Takes back a trajectory that its trainer could not fetch.
    ///
    /// Its holder's copy is kept if only the way to it failed.
    mutating func fetchFailed(
        _ id: BatchID,
        _ hash: ContentHash,
        holder: NodeID,
        by trainer: NodeID,
        _ code: ErrorCode
    ) -> [Directive] {
        guard let batch = batches[id], batch.stage == .assigned(to: trainer), batch.hash == hash,
            batch.uses == 0
        else { return [] }
        guard batch.holder == holder, code.isAboutBytes else {
            putBack(id)
            return []
        }
        batches[id]?.holder = nil
        return [.release(id, hash, at: holder)]
            + fail(id, on: holder, .trajectoryLost, "trainer \(trainer) could not fetch it: \(code)")
    }

    /// Takes a trainer's batches back: the unused ones, or with `includingUsed` those of the open round too.
    mutating func takeBack(from trainer: NodeID, includingUsed: Bool) {
        for batch in batches.values where batch.trainer == trainer && (includingUsed || batch.uses == 0) {
            putBack(batch.id)
        }
    }

    /// What `trainers` used in the open round.
    func uses(by trainers: [NodeID]) -> [BatchUse] {
        batches.values.compactMap { batch in
            guard batch.uses > 0, let trainer = batch.trainer, trainers.contains(trainer) else { return nil }
            return BatchUse(batch: batch.id, trainer: trainer, uses: batch.uses)
        }
    }

    /// Applies a plan that is on the disk: its batches are settled, all other uses of the round never
    /// happened.
    ///
    /// A batch used fewer times than permitted is settled too: reuse is a permission within a round, not a
    /// duty. Where there is an order, one not used at all is nobody's again: the next round's members decide.
    mutating func commit(_ plan: RoundPlan) -> [Directive] {
        let directives = plan.uses.flatMap { settle($0.batch) }
        let isOrdered = settings.assignment == .ordered
        for batch in batches.values where batch.uses > 0 || isOrdered && batch.trainer != nil {
            putBack(batch.id)
        }
        return directives
    }
}

extension ErrorCode {
    /// Whether a fetch failed because of what the holder has, and would fail for any trainer.
    var isAboutBytes: Bool {
        switch self {
        case .notFound, .corrupt, .tooLarge: true
        default: false
        }
    }
}
