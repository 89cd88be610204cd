import ClusterMessages

@testable import Coordination

/// What may go wrong.
enum Fault: CaseIterable {
    case loss, doubling, delay, reordering, partition
    case crash, pause, leaving, misbehaviour, failure, wildOffer
    case coordinatorCrash, coordinatorPause, storing
    /// A person cuts a round short.
    case impatience
}

/// What goes wrong, one thing at a time.
extension VirtualCluster {
    mutating func breakSomething() throws(Violation) {
        let place = random.below(nodes.count)
        switch random.below(13) {
        case 0, 1, 2:
            note(.crash, at: place)
            nodes[place].isRunning = false
            agenda.add(.startNode(place: place), at: now + random.milliseconds(100, 9000))
        case 3, 4:
            note(.pause, at: place)
            nodes[place].frozenUntil = now + random.milliseconds(1000, 12_000)
        case 5: if coordinator != nil { crashCoordinator() }
        case 6:
            note(.coordinatorPause)
            coordinatorFrozenUntil = now + random.milliseconds(1000, 12_000)
        case 7: leave(place)
        case 8: misbehave(place)
        case 9, 10: cut()
        case 11:
            guard coordinator?.round.phase == .open, coordinator?.round.isCut == false else { return }
            note(.impatience)
            try handle(.command(.checkpoint))
        default:
            guard let lease = nodes[place].queue.first, nodes[place].session == .joined else { return }
            note(.failure, at: place)
            send(
                .message(.leaseFailed(lease.batch, lease.fence, .internal, retryable: true, "test")),
                from: place
            )
            nodes[place].queue.removeFirst()
            perform(nodes[place].queue.isEmpty ? [] : [.startWork(after: 700)], at: place)
        }
    }

    /// Counts and shows a fault.
    mutating func note(_ fault: Fault, at place: Int? = nil) {
        faults[fault, default: 0] += 1
        trace("\(fault) \(place.map { "at \(nodes[$0].role) \($0)" } ?? "")")
    }

    func trace(_ text: @autoclosure () -> String) {
        if isTraced { print("\(now) ms: \(text())") }
    }

    /// Cuts some nodes off: from the coordinator, both ways or one, or from each other.
    private mutating func cut() {
        let (kind, until) = (random.below(4), min(faultsEnd, now + random.milliseconds(1000, 12_000)))
        for place in nodes.indices where random.chance(perMille: 500) {
            note(.partition, at: place)
            if kind == 0 || kind == 1 { nodes[place].cut.up = until }
            if kind == 0 || kind == 2 { nodes[place].cut.down = until }
            if kind == 0 || kind == 3 { nodes[place].cut.data = until }
        }
    }

    /// Says goodbye; comes back later, or never if another of its role stays whose numbers are right.
    private mutating func leave(_ place: Int) {
        guard nodes[place].isRunning else { return }
        note(.leaving, at: place)
        if nodes[place].session == .joined { send(.message(.goodbye("test")), from: place) }
        nodes[place].isRunning = false
        let stays = nodes.contains {
            $0.role == nodes[place].role && !$0.isGone && !$0.isCorrupt && $0.place != place
        }
        nodes[place].isGone = stays && random.chance(perMille: 500)
        agenda.add(.startNode(place: place), at: now + random.milliseconds(100, 9000))
    }

    /// Loses its disk, or says something that only another role may say.
    private mutating func misbehave(_ place: Int) {
        note(.misbehaviour, at: place)
        if random.chance(perMille: 500) {
            nodes[place].spool = [:]
        } else if nodes[place].session == .joined, nodes[place].role == .trainer {
            let stray = NodeMessage.produced(BatchID(0), Fence(epoch: 0, attempt: 0), hashes[1], byteCount: 1)
            send(.message(stray), from: place)
        }
    }
}
