import ClusterMessages

/// How nodes come, speak and go.
extension CoordinatorState {
    mutating func arrived(_ arrival: Arrival, now: Instant) -> [Directive] {
        if let (code, text) = objection(to: arrival) { return refused(arrival, code, text) }
        let former = membership.node(of: arrival.identity)
        switch membership.join(arrival, now: now) {
        case .refused(let code, let text):
            return refused(arrival, code, text)
        case .resumed(let node, let recovered):
            let news: [Directive] = recovered ? [.record(Occurrence(.recovered, node: node))] : []
            return news + welcome(arrival, as: node, now: now)
        case .joined(let node, let displaced):
            slow[node] = nil
            let known = KnownNode(
                id: node,
                identity: arrival.identity,
                role: arrival.role,
                name: arrival.name
            )
            var directives: [Directive] = []
            // Everybody waits while the disk takes it, so what it has is not written again.
            if former?.name != known.name || former?.role != known.role {
                directives.append(.remember(known))
            }
            if let displaced {
                // Whoever restarts what dies is faster than the silence that tells of a death.
                let text = "a newer process took the place of node \(node)"
                directives += [
                    .record(Occurrence(.replaced, node: node)), .refuse(displaced, .duplicateNode, text),
                ]
            }
            directives.append(.record(Occurrence(.joined, node: node, arrival.name)))
            return directives + abandon(node, fault: "node \(node) was restarted")
                + welcome(arrival, as: node, now: now)
        }
    }

    private func objection(to arrival: Arrival) -> (ErrorCode, String)? {
        switch arrival.role {
        case .trainer: nil
        case .rollout where settings.teacher == nil || settings.teacher == arrival.teacher: nil
        case .rollout:
            (.teacherMismatch, "the run's teacher is \(settings.teacher?.abbreviated ?? "any")")
        case .coordinator, .operator: (.auth, "nodes are rollouts and trainers, not \(arrival.role)s")
        }
    }

    private func refused(_ arrival: Arrival, _ code: ErrorCode, _ text: String) -> [Directive] {
        [.refuse(arrival.incarnation, code, text), .record(Occurrence(.refused, "\(arrival.name): \(text)"))]
    }

    /// Answers a hello, takes the node's account of what it holds, and repeats what it may have missed.
    private mutating func welcome(_ arrival: Arrival, as node: NodeID, now: Instant) -> [Directive] {
        guard let session = membership[node]?.session else { return [] }
        // What a trainer has used it tells right after its hello.
        if membership.isComplete { opensAt = min(opensAt, now + settings.pingInterval) }
        blocked = blocked.filter { $0.key.trainer != node && $0.key.holder != node }
        var directives: [Directive] = [.welcome(node, arrival.incarnation, session)]
        if isFinished { return directives + [.finish] }
        switch arrival.role {
        case .rollout:
            directives += reconciled(arrival, as: node, now: now)
        case .trainer:
            loaded[node] = arrival.parameters
            directives += ledger.assignAgain(to: node)
            directives += reopened(for: node)
        case .coordinator, .operator: break
        }
        // It may have missed the word; one that heard it does nothing else for hearing it again.
        return membership[node]?.isDraining ?? false ? directives + [.drain(node)] : directives
    }

    /// Believes a node that a batch unknown after a restart was issued before it, within bounds.
    mutating func adopt(_ batch: BatchID, now: Instant) {
        guard now < opensAt, batch.rawValue < ledger.issued + Self.adoptionLimit else { return }
        ledger.extend(to: batch)
    }

    mutating func received(_ message: NodeMessage, from sender: Sender, now: Instant) -> [Directive] {
        switch membership.heard(sender, now: now) {
        case .stranger(let code, let text):
            return [.refuse(sender.incarnation, code, text)]
        case .gap:
            return [.refuse(sender.incarnation, .staleEpoch, "a message was lost; say hello again")]
        case .repeated:
            return []
        case .current(let recovered):
            let directives = heed(message, from: sender, now: now)
            return recovered ? [.record(Occurrence(.recovered, node: sender.node))] + directives : directives
        }
    }

    private mutating func heed(_ message: NodeMessage, from sender: Sender, now: Instant) -> [Directive] {
        let node = sender.node
        if let needed = message.role, needed != membership[node]?.role {
            return violated(node, sender.incarnation, "only a \(needed) may say this")
        }
        switch message {
        case .ping(let progress):
            if membership.progressed(node, to: progress, now: now) { ledger.renewLeases(of: node, now: now) }
            return [.pong(node)]
        case .other:
            return []
        case .credit(let window):
            let isTrainer = membership[node]?.role == .trainer
            credits.open(window, for: node, limit: isTrainer ? settings.trainerLimit : settings.rolloutLimit)
            guard !isTrainer else { return [] }
            vacant.insert(node)
            return credits.isClosed(by: node) ? ledger.releaseUsed(heldBy: node) : []
        case .produced(let batch, let fence, let hash, let byteCount):
            return produced(batch, fence, hash, byteCount: byteCount, by: node, now: now)
        case .leaseFailed(let batch, let fence, let code, let isRetryable, let text):
            return ledger.leaseFailed(batch, fence, at: node, isRetryable: isRetryable, "\(code): \(text)")
        case .consumed(let use):
            return consumed(use, by: node, now: now)
        case .fetchFailed(let batch, let hash, let holder, let code):
            let directives = ledger.fetchFailed(batch, hash, holder: holder, by: node, code)
            guard !code.isAboutBytes else { return directives }
            // In an order nobody else may have the batch, so the way to its holder is tried again soon.
            let pause = isOrdered ? settings.pingInterval : settings.deadAfter
            blocked[Route(trainer: node, holder: holder)] = now + pause
            return directives + (isOrdered ? reroute(batch, around: holder, for: node) : [])
        case .loaded(let version):
            loaded[node] = version
            return reopened(for: node)
        case .shared(let share, let ring):
            round.share(share, of: ring, by: node)
            return []
        case .ringFailed(let ring, let reason):
            round.fail(reason, of: ring, by: node)
            return []
        case .goodbye(let reason):
            membership.leave(node, forGood: true)
            return [.record(Occurrence(.left, node: node, reason))] + abandon(node, fault: nil)
        }
    }

    mutating func violated(_ node: NodeID, _ incarnation: Incarnation, _ text: String) -> [Directive] {
        guard let known = membership[node], known.isPresent, known.incarnation == incarnation else {
            return []
        }
        membership.leave(node, forGood: true)
        return [.refuse(incarnation, .auth, text), .record(Occurrence(.violated, node: node, text))]
            + abandon(node, fault: text)
    }

    /// Gives everything a gone node had to others.
    ///
    /// `fault` is why its leases count as failed tries, nil if they do not. An offer that is complete and
    /// agrees with the ledger needs its trainer no more, unless it was kept for a ring, so it stays, with its batches.
    mutating func abandon(_ node: NodeID, fault: String?) -> [Directive] {
        credits.close(node)
        loaded[node] = nil
        let isCounted = round.isCounted(node, samples: ledger.survey().samples) && round.outlives(node)
        if !isCounted { round.forget(node) }
        ledger.takeBack(from: node, includingUsed: !isCounted)
        return ledger.lose(rollout: node, fault: fault)
    }
}
