import ClusterMessages

@testable import Coordination

/// What goes wrong, one thing at a time.
extension VirtualCluster {
    mutating func breakSomething() {
        faults += 1
        let place = random.below(nodes.count)
        switch random.below(10) {
        case 0, 1, 2:
            nodes[place].isRunning = false
            agenda.add(.startNode(place: place), at: now + random.milliseconds(100, 9000))
        case 3, 4: nodes[place].frozenUntil = now + random.milliseconds(1000, 12_000)
        case 5: if coordinator != nil { crashCoordinator() }
        case 6: coordinatorFrozenUntil = now + random.milliseconds(1000, 12_000)
        case 7: leave(place)
        case 8: misbehave(place)
        default:
            guard let lease = nodes[place].queue.first, nodes[place].session == .joined else { return }
            send(
                .message(.leaseFailed(lease.batch, lease.fence, .internal, retryable: true, "test")),
                from: place
            )
            nodes[place].queue.removeFirst()
            perform(nodes[place].queue.isEmpty ? [] : [.startWork(after: 700)], at: place)
        }
    }

    /// Says goodbye; comes back later, or never if another of its role stays.
    private mutating func leave(_ place: Int) {
        guard nodes[place].isRunning else { return }
        if nodes[place].session == .joined { send(.message(.goodbye("test")), from: place) }
        nodes[place].isRunning = false
        let stay = nodes.contains { $0.role == nodes[place].role && !$0.isGone && $0.place != place }
        nodes[place].isGone = stay && random.chance(perMille: 500)
        agenda.add(.startNode(place: place), at: now + random.milliseconds(100, 9000))
    }

    /// Loses its disk, or says something that only another role may say.
    private mutating func misbehave(_ place: Int) {
        if random.chance(perMille: 500) {
            nodes[place].spool = [:]
        } else if nodes[place].session == .joined, nodes[place].role == .trainer {
            let stray = NodeMessage.produced(BatchID(0), Fence(epoch: 0, attempt: 0), hashes[1], byteCount: 1)
            send(.message(stray), from: place)
        }
    }
}
