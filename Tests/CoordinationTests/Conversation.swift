import ClusterMessages

@testable import Coordination

/// A coordinator and the nodes that speak to it, message by message, with a clock the test moves.
struct Conversation {
    var coordinator: CoordinatorState
    var now = Instant.zero
    private var speakers: [NodeID: (incarnation: Incarnation, sequence: UInt64)] = [:]

    init(_ snapshot: RunSnapshot = beginning, _ adjust: (inout CoordinationSettings) -> Void = { _ in }) {
        var settings = CoordinationSettings()
        settings.leadBatches = 2
        adjust(&settings)
        coordinator = CoordinatorState(restoring: snapshot, settings: settings, now: now)
    }

    /// What the coordinator decides, without its notes for the event log.
    mutating func happens(_ event: CoordinatorEvent) -> [Directive] {
        coordinator.handle(event, now: now).filter {
            if case .record = $0 { return false }
            if case .remember = $0 { return false }
            return true
        }
    }

    /// The kinds of event an event leaves in the log.
    mutating func occurrences(of event: CoordinatorEvent) -> [Occurrence.Kind] {
        coordinator.handle(event, now: now).compactMap {
            if case .record(let occurrence) = $0 { return occurrence.kind }
            return nil
        }
    }

    func arrival(_ role: Role, _ name: String, process: UInt64 = 1) -> Arrival {
        let incarnation = Incarnation(process << 8 | UInt64(name.utf8.last ?? 0))
        var arrival = Arrival(
            identity: name,
            name: name,
            role: role,
            incarnation: incarnation,
            sequence: 1
        )
        if role == .trainer { arrival.parameters = coordinator.parameters }
        return arrival
    }

    /// Says hello; what follows the welcome, and the number of the node.
    mutating func hello(_ arrival: Arrival) -> (node: NodeID, directives: [Directive]) {
        var directives = happens(.arrived(arrival))
        for (index, directive) in directives.enumerated() {
            guard case .welcome(let node, arrival.incarnation, _) = directive else { continue }
            directives.remove(at: index)
            speakers[node] = (arrival.incarnation, arrival.sequence)
            return (node, directives)
        }
        return (.coordinator, directives)
    }

    /// A node of this role joins and opens a window of two batches.
    mutating func join(_ role: Role, _ name: String, credit: Int = 2) -> NodeID {
        let (node, _) = hello(arrival(role, name))
        _ = says(node, .credit(CreditWindow(batches: credit, byteCount: 1000)))
        return node
    }

    mutating func says(_ node: NodeID, _ message: NodeMessage) -> [Directive] {
        happens(.received(message, from: sender(node)))
    }

    /// The sender of the node's next message.
    mutating func sender(_ node: NodeID) -> Sender {
        speakers[node]?.sequence += 1
        let (incarnation, sequence) = speakers[node] ?? (Incarnation(0), 0)
        return Sender(node, incarnation, sequence: sequence)
    }

    /// A rollout finishes a batch it was leased.
    mutating func produces(_ node: NodeID, _ batch: UInt64, byteCount: Int = 100) -> [Directive] {
        let id = BatchID(batch)
        let fence = coordinator.ledger[id]?.leases.first?.fence ?? Fence(epoch: 0, attempt: 0)
        return says(node, .produced(id, fence, trajectoryHash(id), byteCount: byteCount))
    }

    /// A trainer uses a batch in the round to come.
    mutating func consumes(_ node: NodeID, _ batch: UInt64, samples: Int = 4, use: Int = 1) -> [Directive] {
        says(node, .consumed(consumption(batch, samples: samples, use: use)))
    }

    func consumption(_ batch: UInt64, samples: Int = 4, use: Int = 1) -> Consumption {
        Consumption(
            batch: BatchID(batch),
            hash: trajectoryHash(BatchID(batch)),
            round: coordinator.round.number,
            samples: samples,
            use: use
        )
    }

    /// A trainer offers, and all of the offer arrives.
    mutating func offers(_ node: NodeID, samples: Int, distances: [Double] = []) -> [Directive] {
        let started = happens(.offer(start(node, samples: samples), from: node))
        let hash = testHash(9, UInt64(node.rawValue))
        return started + happens(.offer(.complete(hash, distances: distances), from: node))
    }

    func start(_ node: NodeID, samples: Int) -> OfferEvent {
        .started(
            coordinator.membership[node]?.session ?? SessionToken(0),
            coordinator.round.number,
            base: coordinator.parameters.round,
            samples: samples,
            testHash(9, UInt64(node.rawValue))
        )
    }

    /// Time passes, and every present node but the `silent` ones pings at its end.
    mutating func pass(_ duration: Duration, silent: [NodeID] = []) -> [Directive] {
        now += duration
        for node in speakers.keys.sorted() where !silent.contains(node) {
            _ = says(node, .ping(progress: 0))
        }
        return happens(.tick)
    }

    /// Time passes a second at a time.
    mutating func wait(_ count: Int, silent: [NodeID] = []) -> [Directive] {
        (0..<count).flatMap { _ in pass(.seconds(1), silent: silent) }
    }

    /// Where a batch is.
    func stage(_ batch: UInt64) -> Batch.Stage? { coordinator.ledger[BatchID(batch)]?.stage }

    var census: Census { coordinator.ledger.survey().census }
}

extension [Directive] {
    /// The leases among them, as batches by node.
    var grants: [BatchID: NodeID] {
        let leases = compactMap { directive -> GrantedLease? in
            guard case .grant(let lease) = directive else { return nil }
            return lease
        }
        return Dictionary(leases.map { ($0.batch, $0.node) }) { first, _ in first }
    }

    /// The assignments among them, as batches by trainer.
    var assignments: [BatchID: NodeID] {
        let pairs = compactMap { directive -> (BatchID, NodeID)? in
            guard case .assign(let trajectory, let node) = directive else { return nil }
            return (trajectory.batch, node)
        }
        return Dictionary(pairs) { first, _ in first }
    }

    /// The plan among them.
    var plan: RoundPlan? {
        compactMap { directive -> RoundPlan? in
            guard case .close(let plan) = directive else { return nil }
            return plan
        }.first
    }
}
