import ClusterMessages

@testable import Coordination

/// How messages travel.
///
/// One direction of one connection keeps its order, as TCP promises, but for what a broken connection brings
/// late.
extension VirtualCluster {
    mutating func send(_ uplink: Uplink, from place: Int) {
        var uplink = uplink
        var sequence: UInt64 = 0
        var lane = 0
        switch uplink {
        case .hello(var arrival):
            nodes[place].sequence += 1
            sequence = nodes[place].sequence
            arrival.sequence = sequence
            uplink = .hello(arrival)
        case .message:
            nodes[place].sequence += 1
            sequence = nodes[place].sequence
        case .offer: lane = 1
        }
        let happening = Happening.uplink(uplink, place: place, nodes[place].incarnation, sequence: sequence)
        carry(happening, lane: lane, place: place)
    }

    mutating func send(_ downlink: Downlink, to place: Int, _ incarnation: Incarnation) {
        var lane = 2
        switch downlink {
        case .acceptOffer, .refuseOffer: lane = 3
        default: downSequence[place] += 1
        }
        let happening = Happening.downlink(downlink, place: place, incarnation, sequence: downSequence[place])
        carry(happening, lane: lane, place: place)
    }

    private mutating func carry(_ happening: Happening, lane: Int, place: Int) {
        guard now < faultsEnd else { return queue(happening, lane: lane, place: place, delay: 1) }
        if (lane < 2 ? nodes[place].cut.up : nodes[place].cut.down) > now { return }
        if random.chance(perMille: 12) { return note(.loss) }
        if random.chance(perMille: 12) {
            note(.doubling)
            queue(happening, lane: lane, place: place, delay: 1)
        }
        if random.chance(perMille: 8) {
            // Overtaken by what is sent later.
            note(.reordering)
            return agenda.add(happening, at: now + random.milliseconds(20, 2000))
        }
        let isLate = random.chance(perMille: 20)
        if isLate { note(.delay) }
        queue(happening, lane: lane, place: place, delay: isLate ? random.milliseconds(500, 3000) : 1)
    }

    /// Keeps the order of one direction of one connection.
    private mutating func queue(_ happening: Happening, lane: Int, place: Int, delay: Int64) {
        let moment = max(free[place][lane], now + delay + random.milliseconds(0, 20))
        free[place][lane] = moment
        agenda.add(happening, at: moment)
    }

    mutating func arrive(
        _ message: Uplink,
        place: Int,
        _ incarnation: Incarnation,
        sequence: UInt64
    ) throws(Violation) {
        guard coordinator != nil else { return }
        switch message {
        case .hello(let arrival): try handle(.arrived(arrival))
        case .message(let message):
            // The session names the node; one the coordinator does not know is a stranger.
            let node = coordinator?.membership.all.first { $0.identity == "key \(place)" }?.id ?? .coordinator
            try handle(.received(message, from: Sender(node, incarnation, sequence: sequence)))
        case .offer(let event):
            guard let node = coordinator?.membership.all.first(where: { $0.identity == "key \(place)" })?.id
            else {
                return
            }
            try handle(.offer(event, from: node))
        }
    }
}
