import ClusterMessages

/// How rounds open, collect, close and are committed.
extension CoordinatorState {
    /// Whether a trainer has the last committed parameters.
    func isLoaded(_ trainer: NodeID) -> Bool { loaded[trainer] == parameters }

    /// Whether a trainer may enter a round: it has its base parameters and is not leaving.
    func isReady(_ trainer: NodeID) -> Bool {
        guard let node = membership[trainer], node.isPresent, !node.isDraining else { return false }
        return isLoaded(trainer)
    }

    /// Present trainers that had some committed parameters, and need one download to have the newest.
    ///
    /// An opening waits for them as for members: one that came back in the middle of a round would else be late
    /// at every opening, as long as the others need no download because their own offer is what was committed. For the
    /// same reason one that was late is waited for again, after a while.
    private var followers: [NodeID] {
        membership.present(.trainer).filter {
            !$0.isDraining && loaded[$0.id] != nil && slow[$0.id]?.left ?? 0 == 0
        }
        .map(\.id)
    }

    /// Notes for whom an opening waited in vain.
    private mutating func opened(with members: [NodeID]) {
        for node in slow.keys { slow[node]?.opened() }
        for node in round.awaited { slow[node, default: Respite()].begin() }
        for node in members { slow[node] = nil }
    }

    /// Members that are away and may come back, whom a round in order waits for, within its grace.
    var expected: Set<NodeID> {
        guard isOrdered else { return [] }
        return Set(round.members + round.awaited).filter { id in
            membership[id].map { !$0.isPresent && !$0.isGone } ?? false
        }
    }

    /// Takes the round's decisions until there is none left to take.
    mutating func advanceRound(now: Instant) -> [Directive] {
        var directives: [Directive] = []
        while true {
            if isDraining, round.phase == .waiting { return directives + finish() }
            let trainers = membership.present(.trainer)
            let idle = trainers.filter { $0.progressedAt + settings.trainerStall <= now }
            let stuck = idle.filter { ledger.load(of: $0.id).batches > 0 }
            let view = AveragingRound.View(
                present: Set(trainers.map(\.id)),
                ready: trainers.map(\.id).filter(isReady),
                stuck: Set(stuck.map(\.id)),
                idle: Set(idle.map(\.id)),
                samples: ledger.survey().samples,
                expected: expected
            )
            guard let decision = round.decide(view, now: now) else { return directives }
            directives += carryOut(decision, samples: view.samples)
        }
    }

    private mutating func carryOut(
        _ decision: AveragingRound.Decision,
        samples: [NodeID: Int]
    ) -> [Directive] {
        switch decision {
        case .open(let members):
            opened(with: members)
            let text = "members \(members.map(called).joined(separator: ", "))"
            let trainers = members.filter { membership[$0]?.isPresent ?? false && mayTrain($0) }
            return [
                .record(Occurrence(.roundOpened, round: round.number, text)),
                .open(round.number, to: trainers),
            ] + (round.isCut ? [.cut(round.number, to: trainers)] : [])
        case .close(let members, let outliers):
            let plan = plan(members, outliers: outliers, samples: samples)
            round.close(plan)
            return [closed(plan), .close(plan)]
        case .gather(let members):
            let plan = plan(members, outliers: [], samples: samples)
            lastRing += 1
            let ring = AveragingRing(number: lastRing, plan: plan)
            round.begin(ring)
            return [closed(plan), .ring(ring, to: ring.members)]
        case .commit(let plan): return [.close(plan)]
        case .collect(let reason): return collect(because: reason)
        case .void(let node, let reason, let isStrike):
            if isStrike { membership.strike(node) }
            return void(node, because: reason)
        }
    }

    private func plan(_ members: [NodeID], outliers: [Outlier], samples: [NodeID: Int]) -> RoundPlan {
        let included = isOrdered ? lineup.filter(members.contains) : members
        return RoundPlan(
            round: round.number,
            contributions: included.compactMap { node in
                round.offers[node].map {
                    .init(node: node, samples: samples[node, default: 0], offer: $0.hash)
                }
            },
            excluded: round.members.filter { !included.contains($0) },
            outliers: outliers,
            uses: ledger.uses(by: included),
            issued: ledger.issued
        )
    }

    private func closed(_ plan: RoundPlan) -> Directive {
        let text = "\(plan.contributions.count) of \(round.members.count) members"
        return .record(Occurrence(.roundClosed, round: plan.round, text))
    }

    /// Asks for the offers that were kept for a ring: to be told to go on is what a trainer offers again at.
    private func collect(because reason: String) -> [Directive] {
        let members = round.members.filter { membership[$0]?.isPresent ?? false && mayTrain($0) }
        return [
            .record(Occurrence(.ringBroken, round: round.number, reason)), .open(round.number, to: members),
        ] + (round.isCut ? [.cut(round.number, to: members)] : [])
    }

    /// Tells a trainer that is back in the open round, and has not offered yet, to go on with it.
    func reopened(for node: NodeID) -> [Directive] {
        if case .ringing(let ring) = round.phase, ring.owing.contains(node), round.offers[node] != nil {
            return [.ring(ring, to: [node])]
        }
        guard round.phase == .open, round.members.contains(node), mayTrain(node) else { return [] }
        return [.open(round.number, to: [node])] + (round.isCut ? [.cut(round.number, to: [node])] : [])
    }

    /// Whether a member has the round's base and has not offered yet; its former process may have.
    private func mayTrain(_ node: NodeID) -> Bool {
        isLoaded(node) && round.offers[node]?.completedAt == nil
    }

    // MARK: Uses and offers

    mutating func consumed(_ use: Consumption, by node: NodeID, now: Instant) -> [Directive] {
        // Uses of an older round were excluded from it; those of a closing one can change nothing any more.
        guard use.round == round.number, isLoaded(node) else { return [] }
        if case .closing = round.phase { return [] }
        adopt(use.batch, now: now)
        switch ledger.consume(use, by: node) {
        case .repeated: return []
        case .conflict(let reason): return void(node, because: reason)
        case .counted(var directives):
            if let holder = ledger[use.batch]?.holder, credits.isClosed(by: holder) {
                directives += ledger.releaseUsed(heldBy: holder)
            }
            guard round.phase == .open, !round.members.contains(node) else { return directives }
            round.admit(node)
            return directives + reopened(for: node)
        }
    }

    /// Throws away what a trainer did in this round; it starts the round anew after its next hello.
    ///
    /// The hello separates the steps thrown away from those to come: until it arrives, nothing the trainer
    /// says counts.
    private mutating func void(_ node: NodeID, because reason: String) -> [Directive] {
        membership.leave(node, forGood: false)
        credits.close(node)
        loaded[node] = nil
        round.forget(node)
        ledger.takeBack(from: node, includingUsed: true)
        return [
            .record(Occurrence(.voided, node: node, round: round.number, reason)),
            .abort(round.number, at: node, reason: reason),
        ]
    }

    mutating func offered(_ event: OfferEvent, by node: NodeID, now: Instant) -> [Directive] {
        switch event {
        case .started(let session, let number, let base, let samples, let hash):
            guard membership.isCurrent(session, of: node) else {
                return [.refuseOffer(number, from: node, .staleEpoch, "say hello first")]
            }
            if let (code, text) = round.announce(number, base: base, samples: samples, hash, by: node) {
                return [.refuseOffer(number, from: node, code, text)]
            }
            guard round.offers[node]?.isHeld ?? false else { return [.acceptOffer(number, from: node)] }
            round.complete(node, now: now)
            return [.holdOffer(number, from: node)]
        case .progressed(let hash, let received, let total):
            guard round.offers[node]?.hash == hash, total > 0 else { return [] }
            round.received(Double(received) / Double(total), from: node)
            return []
        case .complete(let hash, let distances):
            guard round.offers[node]?.hash == hash else { return [] }
            round.complete(node, distances: distances, now: now)
            return []
        case .rejected(let hash, let code, let text):
            guard round.offers[node]?.hash == hash else { return [] }
            membership.strike(node)
            let reason = "its offer was refused (\(code)): \(text)"
            return [
                .record(Occurrence(.offerRejected, node: node, round: round.number, reason)),
                .refuseOffer(round.number, from: node, code, text),
            ] + void(node, because: reason)
        }
    }

    // MARK: Commit

    mutating func stored(_ version: ParameterVersion, now: Instant) -> [Directive] {
        guard case .closing(let plan) = round.phase, plan.round == version.round else { return [] }
        parameters = version
        for contribution in plan.contributions { membership.pardon(contribution.node) }
        let members = round.members.filter { !(membership[$0]?.isGone ?? true) }
        round = AveragingRound(
            version.round.next,
            awaiting: Set(members + followers).sorted(),
            settings: settings,
            now: now
        )
        var directives = plan.excluded.map { node in
            let reason = plan.outliers.first { $0.node == node }?.reason ?? ""
            return Directive.record(Occurrence(.excluded, node: node, round: plan.round, reason))
        }
        directives.append(.record(Occurrence(.roundCommitted, round: plan.round, version.hash.abbreviated)))
        directives.append(.announce(version, excluded: plan.excluded))
        directives += ledger.commit(plan)
        for outlier in plan.outliers { directives += blame(outlier) }
        return version.round.rawValue >= settings.rounds ? directives + finish() : directives
    }

    /// Counts an offer out of line; a trainer with too many of them in a row is turned away.
    private mutating func blame(_ outlier: Outlier) -> [Directive] {
        let node = outlier.node
        membership.strike(node)
        guard let known = membership[node], known.isPresent, known.strikes >= settings.offerStrikes,
            let process = known.incarnation
        else { return [] }
        membership.leave(node, forGood: true)
        let text = "\(known.strikes) offers in a row were refused; the last: \(outlier.reason)"
        return [.refuse(process, .nonFinite, text), .record(Occurrence(.violated, node: node, text))]
            + abandon(node, fault: nil)
    }

    mutating func storeFailed(_ number: RoundNumber, _ reason: String, now: Instant) -> [Directive] {
        guard case .closing(let plan) = round.phase, plan.round == number else { return [] }
        let dropped = dropOrphans()
        round.failed(reason, now: now)
        return [.record(Occurrence(.roundFailed, round: number, reason))]
            + dropped.flatMap(reopened(for:))
    }

    /// Averages a round without its ring, whose members no longer have what they made.
    mutating func sharesLost(_ number: RoundNumber, _ reason: String) -> [Directive] {
        guard case .closing(let plan) = round.phase, plan.round == number, !plan.shares.isEmpty else {
            return []
        }
        _ = dropOrphans()
        _ = round.leaveRing(reason)
        return collect(because: reason)
    }

    /// Gives up offers whose bytes went with their trainers, and takes back what these were made of; whose they were.
    private mutating func dropOrphans() -> [NodeID] {
        let orphans = round.offers.filter(\.value.isOrphan).keys.sorted()
        for node in orphans {
            round.forget(node)
            ledger.takeBack(from: node, includingUsed: true)
        }
        return orphans
    }

    private mutating func finish() -> [Directive] {
        isFinished = true
        return [.record(Occurrence(.finished, round: parameters.round)), .finish]
    }
}
