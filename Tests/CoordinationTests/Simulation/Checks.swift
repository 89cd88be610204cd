import ClusterMessages

@testable import Coordination

/// What must be true after every step of a virtual cluster.
struct Checks {
    private var fences: [BatchID: Fence] = [:]
    private var epoch: UInt64 = 0
    /// The members in the order of their turns, as often as they changed, by round; with an order only.
    private var lineups: [RoundNumber: [[NodeID]]] = [:]

    mutating func examine(
        _ state: CoordinatorState,
        after event: CoordinatorEvent,
        _ directives: [Directive],
        now: Instant
    ) throws(Violation) {
        if case .tick = event, !state.isFinished, state.waitingOn(now: now).isEmpty {
            throw Violation(description: "nobody says what \(state.round.number) waits for: \(state.round)")
        }
        let survey = state.ledger.survey()
        guard survey.census.total == Int(state.ledger.issued) else {
            throw Violation(description: "\(state.ledger.issued) issued, but \(survey.census)")
        }
        // What is once miscounted stays so.
        if case .tick = event { try examine(survey, of: state.ledger) }
        guard state.membership.epoch >= epoch else { throw Violation(description: "the epoch fell") }
        epoch = state.membership.epoch
        if case .stored = event, !survey.samples.isEmpty {
            throw Violation(description: "uses outlive their round: \(survey.samples)")
        }
        if state.isOrdered, state.round.phase == .open, lineups[state.round.number]?.last != state.lineup {
            lineups[state.round.number, default: []].append(state.lineup)
        }
        var isGreeting = false
        if case .arrived = event { isGreeting = true }
        var granted: [BatchID] = []
        for directive in directives {
            switch directive {
            case .grant(let lease):
                // A hello repeats leases and brings back old ones, within no window.
                if isGreeting { continue }
                if let last = fences[lease.batch], last >= lease.fence {
                    throw Violation(description: "batch \(lease.batch): fence \(lease.fence) after \(last)")
                }
                fences[lease.batch] = lease.fence
                try withinWindow(lease.node, state, survey)
                // A hedge or an audit is no more work ahead.
                if state.ledger[lease.batch]?.stage == .leased(lease) { granted.append(lease.batch) }
            case .assign(_, let trainer):
                if !isGreeting { try withinWindow(trainer, state, survey) }
            case .close(let plan):
                let required = state.settings.required(of: plan.contributions.count + plan.excluded.count)
                guard plan.contributions.count >= required else {
                    throw Violation(description: "\(plan.contributions.count) offers, quorum \(required)")
                }
            default: break
            }
        }
        try withinLead(granted, state, survey)
    }

    /// Work ahead stays within the lead; where there is an order, a member with nothing coming may have one batch
    /// beyond it.
    private func withinLead(
        _ granted: [BatchID],
        _ state: CoordinatorState,
        _ survey: BatchLedger.Survey
    ) throws(Violation) {
        guard !granted.isEmpty else { return }
        let next = Set(state.turns().compactMap { turn in turn.batches.first(where: state.ledger.isComing) })
        let beyond = granted.count { next.contains($0) }
        let lead = survey.census.leased + survey.census.produced
        guard granted.count == beyond || lead <= state.settings.leadBatches + beyond else {
            throw Violation(description: "more than the lead: \(survey.census)")
        }
    }

    /// The account that the ledger keeps is what counting its batches anew gives.
    private func examine(_ survey: BatchLedger.Survey, of ledger: BatchLedger) throws(Violation) {
        var census = Census(committed: survey.census.committed, dead: survey.census.dead)
        var (samples, begun, unused): ([NodeID: Int], [NodeID: Int], [NodeID: Int]) = ([:], [:], [:])
        var loads: [NodeID: Load] = [:]
        for batch in ledger.batches.values {
            switch batch.stage {
            case .pending: census.pending += 1
            case .leased: census.leased += 1
            case .produced: census.produced += 1
            case .assigned(let trainer):
                census.assigned += 1
                loads[trainer, default: Load()].add(batch.byteCount)
                if batch.uses == 0 { unused[trainer, default: 0] += 1 }
            case .consumed: census.consumed += 1
            }
            for lease in batch.leases { loads[lease.node, default: Load()].add(survey.expectedByteCount) }
            if let holder = batch.holder { loads[holder, default: Load()].byteCount += batch.byteCount }
            if batch.uses > 0, let trainer = batch.trainer {
                samples[trainer, default: 0] += batch.samples
                begun[trainer, default: 0] += 1
            }
        }
        for lease in ledger.auditLeases {
            loads[lease.node, default: Load()].add(survey.expectedByteCount)
        }
        let isRight =
            census == survey.census && samples == survey.samples && begun == survey.begun
            && unused == survey.unused
            && Set(loads.keys).union(survey.outstanding.keys).allSatisfy {
                loads[$0] ?? Load() == survey.load(of: $0)
            }
        guard isRight else {
            throw Violation(description: "the account says \(survey), counted are \(census), \(loads)")
        }
    }

    private func withinWindow(
        _ node: NodeID,
        _ state: CoordinatorState,
        _ survey: BatchLedger.Survey
    ) throws(Violation) {
        let (window, load) = (state.credits.window(of: node), survey.load(of: node))
        guard load.batches <= window.batches, load.byteCount <= window.byteCount else {
            throw Violation(description: "node \(node) has \(load), its window is \(window)")
        }
    }

    /// The members of a round begin with its base.
    static func examine(
        members: [NodeID],
        of state: CoordinatorState,
        among nodes: [VirtualNode]
    ) throws(Violation) {
        for member in members {
            let process = state.membership[member]?.incarnation
            let node = nodes.first { $0.isRunning && $0.incarnation == process }
            guard let node, node.version != state.parameters else { continue }
            let base = state.parameters
            throw Violation(description: "member \(member) begins with \(node.version), not \(base)")
        }
    }

    /// In order, each member trained on the first unsettled batches whose turn is its own, in order of number,
    /// unless the members changed on the way.
    func examineOrder(
        of plan: RoundPlan,
        on disk: VirtualCluster.Disk,
        offers: [ContentHash: VirtualCluster.Making]
    ) throws(Violation) {
        guard let lineups = lineups[plan.round], let lineup = lineups.first, lineups.count == 1 else {
            return
        }
        for contribution in plan.contributions {
            var begun: [BatchID] = []
            for use in offers[contribution.offer]?.uses ?? [] where !begun.contains(use.batch) {
                begun.append(use.batch)
            }
            let place = lineup.firstIndex(of: contribution.node).map { UInt64($0) }
            let own = (0..<plan.issued).lazy.filter { $0 % UInt64(lineup.count) == place }.map { BatchID($0) }
            let first = own.filter { !disk.committed.contains($0) && !disk.dead.contains($0) }
            guard begun == Array(first.prefix(begun.count)) else {
                throw Violation(
                    description: "\(contribution) began \(begun) of \(first.prefix(9)) in \(lineup)"
                )
            }
        }
    }

    /// Every use the included offers were made of, no other, and none for a second time.
    static func examine(
        _ plan: RoundPlan,
        on disk: VirtualCluster.Disk,
        offers: [ContentHash: VirtualCluster.Making]
    ) throws(Violation) {
        guard plan.round == disk.snapshot.parameters.round.next else {
            throw Violation(description: "round \(plan.round) after \(disk.snapshot.parameters.round)")
        }
        let wild = plan.contributions.count { offers[$0.offer]?.isWild ?? false }
        guard wild == 0 || plan.contributions.count + plan.outliers.count < 3 else {
            throw Violation(description: "an offer out of line is in \(plan)")
        }
        var trained: [BatchID: Int] = [:]
        for contribution in plan.contributions {
            guard let making = offers[contribution.offer], making.base == disk.parameters.hash else {
                throw Violation(description: "\(contribution) does not stand on \(disk.parameters)")
            }
            let uses = making.uses
            for use in uses { trained[use.batch, default: 0] += 1 }
            guard !uses.isEmpty, uses.allSatisfy({ $0.round == plan.round }),
                uses.reduce(0, { $0 + $1.samples }) == contribution.samples
            else { throw Violation(description: "\(contribution) was trained on \(uses)") }
        }
        let planned = Dictionary(plan.uses.map { ($0.batch, $0.uses) }) { $0 + $1 }
        guard planned == trained, plan.uses.count == planned.count else {
            throw Violation(description: "planned \(planned), trained \(trained)")
        }
        for batch in planned.keys where disk.committed.contains(batch) || disk.dead.contains(batch) {
            throw Violation(description: "batch \(batch) settled twice")
        }
    }
}

extension BatchLedger {
    /// Whether a batch is being made, or waits for its trainer.
    fileprivate func isComing(_ id: BatchID) -> Bool {
        switch self[id]?.stage {
        case .leased, .produced: true
        case .pending, .assigned, .consumed, nil: false
        }
    }
}

extension Load {
    /// One more batch of `byteCount`.
    fileprivate mutating func add(_ byteCount: Int) {
        batches += 1
        self.byteCount += byteCount
    }
}
