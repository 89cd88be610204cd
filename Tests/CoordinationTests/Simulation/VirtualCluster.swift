import ClusterMessages

@testable import Coordination

/// What is wrong with a virtual cluster's life.
struct Violation: Error, CustomStringConvertible {
    let description: String
}

/// A coordinator, two rollouts and two or three trainers with a network, disks and a clock, all virtual.
///
/// Until `faultsEnd` messages are lost, doubled and late; nodes crash, freeze, fail and leave; the
/// coordinator crashes, freezes and cannot store. Then everything works, and the run must finish. Messages of
/// one direction of one connection keep their order, as TCP promises; nothing else does.
struct VirtualCluster {
    /// What survives a crash of the coordinator, as the runtime's transaction would write it.
    struct Disk {
        var snapshot: RunSnapshot
        var dead: Set<BatchID> = []
        var committed: Set<BatchID> = []
    }

    var settings: CoordinationSettings
    var random: SeededRandom
    var now: Int64 = 0
    var agenda = Agenda()
    var coordinator: CoordinatorState?
    var coordinatorFrozenUntil: Int64 = 0
    var disk: Disk
    var nodes: [VirtualNode] = []
    /// What each offer was trained on, by its hash.
    var offers: [ContentHash: [Consumption]] = [:]
    /// The number of the last message to each place, and when each direction is free again.
    private var downSequence: [UInt64]
    private var free: [[Int64]]
    var faults = 0
    let faultsEnd: Int64
    var checks = Checks()

    init(seed: UInt64, faultsEnd: Int64 = 15_000) {
        random = SeededRandom(seed: seed)
        self.faultsEnd = faultsEnd
        settings = CoordinationSettings()
        settings.pingInterval = .seconds(2)
        settings.suspectAfter = .seconds(4)
        settings.deadAfter = .seconds(8)
        settings.reconciliation = .seconds(2)
        settings.leaseFloor = .seconds(4)
        settings.grace = .seconds(6)
        settings.storeRetry = .seconds(2)
        settings.leadBatches = 2 + random.below(4)
        settings.usesPerBatch = 1 + random.below(2)
        settings.rounds = 3
        settings.localSteps = 2
        settings.quorum = [0, 0.5, 0.67, 1][random.below(4)]
        let initial = ParameterVersion(round: .initial, hash: testHash(0, 0))
        disk = Disk(snapshot: RunSnapshot(parameters: initial))
        let roles: [Role] =
            [.rollout, .rollout, .trainer, .trainer] + (random.chance(perMille: 300) ? [.trainer] : [])
        nodes = roles.enumerated().map { VirtualNode($1, place: $0, version: initial) }
        downSequence = nodes.map { _ in 0 }
        free = nodes.map { _ in [0, 0, 0, 0] }
        agenda.add(.startCoordinator, at: 0)
        for place in nodes.indices { agenda.add(.startNode(place: place), at: random.milliseconds(0, 2000)) }
        if faultsEnd > 0 { agenda.add(.fault, at: random.milliseconds(500, 3000)) }
    }

    /// Lives until the run is finished; throws what went wrong.
    mutating func run() throws(Violation) {
        while let (moment, what) = agenda.next() {
            now = max(now, moment)
            guard now < faultsEnd + 150_000 else {
                let reasons = coordinator?.waitingOn(now: instant) ?? ["no coordinator"]
                throw Violation(description: "no end in sight: \(reasons)")
            }
            try happen(what)
            if coordinator?.isFinished ?? false { return }
        }
    }

    var instant: Instant { Instant(nanoseconds: now * 1_000_000) }

    private mutating func happen(_ what: Happening) throws(Violation) {
        switch what {
        case .uplink, .tick, .stored:
            if coordinatorFrozenUntil > now { return agenda.add(what, at: coordinatorFrozenUntil) }
        case .downlink(_, let place, _, _), .timer(_, let place, _, _):
            if nodes[place].frozenUntil > now { return agenda.add(what, at: nodes[place].frozenUntil) }
        case .fault, .startNode, .startCoordinator: break
        }
        switch what {
        case .uplink(let message, let place, let incarnation, let sequence):
            try arrive(message, place: place, incarnation, sequence: sequence)
        case .downlink(let message, let place, let incarnation, let sequence):
            guard nodes[place].isRunning, nodes[place].incarnation == incarnation else { return }
            perform(nodes[place].received(message, sequence: sequence), at: place)
        case .timer(let timer, let place, let incarnation, let token):
            ring(timer, place: place, incarnation, token: token)
        case .tick(let generation):
            guard coordinator != nil, disk.snapshot.generation == generation else { return }
            agenda.add(.tick(generation: generation), at: now + 1000)
            try handle(.tick)
        case .stored(let plan, let fails, let generation):
            guard coordinator != nil, disk.snapshot.generation == generation else { return }
            try store(plan, fails: fails)
        case .fault:
            breakSomething()
            let next = now + random.milliseconds(500, 4000)
            if next < faultsEnd { agenda.add(.fault, at: next) }
        case .startNode(let place):
            guard !nodes[place].isRunning, !nodes[place].isGone else { return }
            let keepsDisk = random.chance(perMille: 600)
            perform(nodes[place].start(keepingDisk: keepsDisk, initial: initial), at: place)
        case .startCoordinator:
            guard coordinator == nil else { return }
            startCoordinator()
        }
    }

    private var initial: ParameterVersion { ParameterVersion(round: .initial, hash: testHash(0, 0)) }

    // MARK: Nodes

    private mutating func ring(_ timer: NodeTimer, place: Int, _ incarnation: Incarnation, token: Int) {
        guard nodes[place].isRunning, nodes[place].incarnation == incarnation else { return }
        if case .work = timer, token != nodes[place].workToken { return }
        let (others, moment) = (nodes, now)
        let actions = nodes[place].rang(
            timer,
            spoolOf: { id in others.first { $0.node == id && $0.isRunning && $0.frozenUntil <= moment } },
            settings: settings
        )
        if let work = nodes[place].work, let offer = work.offer { offers[offer] = work.uses }
        perform(actions, at: place)
    }

    mutating func perform(_ actions: [NodeAction], at place: Int) {
        for action in actions {
            switch action {
            case .send(let uplink): send(uplink, from: place)
            case .start(let timer, let delay):
                let after = now + delay + random.milliseconds(0, delay == 2000 ? 0 : 200)
                agenda.add(.timer(timer, place: place, nodes[place].incarnation, token: 0), at: after)
            case .startWork(let delay):
                nodes[place].workToken += 1
                let timer = Happening.timer(
                    .work,
                    place: place,
                    nodes[place].incarnation,
                    token: nodes[place].workToken
                )
                agenda.add(timer, at: now + delay + random.milliseconds(0, 400))
            }
        }
    }

    // MARK: The network

    private var isFaulty: Bool { now < faultsEnd }

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

    private mutating func send(_ downlink: Downlink, to place: Int, _ incarnation: Incarnation) {
        var lane = 2
        switch downlink {
        case .acceptOffer, .refuseOffer: lane = 3
        default: downSequence[place] += 1
        }
        let happening = Happening.downlink(downlink, place: place, incarnation, sequence: downSequence[place])
        carry(happening, lane: lane, place: place)
    }

    private mutating func carry(_ happening: Happening, lane: Int, place: Int) {
        if isFaulty, random.chance(perMille: 12) {
            faults += 1
            return
        }
        let copies = isFaulty && random.chance(perMille: 12) ? 2 : 1
        for _ in 0..<copies {
            let delay = isFaulty && random.chance(perMille: 20) ? random.milliseconds(500, 3000) : 1
            let moment = max(free[place][lane], now + delay + random.milliseconds(0, 20))
            free[place][lane] = moment
            agenda.add(happening, at: moment)
        }
    }

    private mutating func arrive(
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

    // MARK: The coordinator

    private mutating func startCoordinator() {
        disk.snapshot.committed = disk.committed.sorted()
        disk.snapshot.dead = disk.dead.sorted()
        coordinator = CoordinatorState(restoring: disk.snapshot, settings: settings, now: instant)
        disk.snapshot.generation += 1
        agenda.add(.tick(generation: disk.snapshot.generation), at: now)
    }

    private mutating func handle(_ event: CoordinatorEvent) throws(Violation) {
        guard var state = coordinator else { return }
        coordinator = nil  // so that the state is not copied
        let directives = state.handle(event, now: instant)
        if !event.isRoutine { try checks.examine(state, after: event, directives) }
        coordinator = state
        for directive in directives { try carryOut(directive, state) }
    }

    private mutating func carryOut(_ directive: Directive, _ state: CoordinatorState) throws(Violation) {
        switch directive {
        case .welcome(let node, let incarnation, let session):
            guard let place = place(of: incarnation) else { return }
            send(.welcome(node, session, state.parameters), to: place, incarnation)
        case .refuse(let incarnation, let code, _):
            if let place = place(of: incarnation) { send(.refuse(code), to: place, incarnation) }
        case .remember(let node):
            disk.snapshot.nodes.removeAll { $0.id == node.id }
            disk.snapshot.nodes.append(node)
        case .pong(let node): send(.pong(state.parameters), to: node, state)
        case .grant(let lease): send(.grant(lease), to: lease.node, state)
        case .cancelLease(let batch, let fence, let node): send(.cancelLease(batch, fence), to: node, state)
        case .assign(let trajectory, let node): send(.assign(trajectory), to: node, state)
        case .release(let batch, let hash, let node): send(.release(batch, hash), to: node, state)
        case .open(let round, let members): for node in members { send(.open(round), to: node, state) }
        case .acceptOffer(let round, let node): send(.acceptOffer(round), to: node, state)
        case .refuseOffer(let round, let node, _, _): send(.refuseOffer(round), to: node, state)
        case .announce(let version, _):
            for node in state.membership.all { send(.announce(version), to: node.id, state) }
        case .abort(let round, let node, _): send(.abort(round), to: node, state)
        case .bury(let letter):
            guard !letter.reason.isEmpty, disk.dead.insert(letter.batch).inserted,
                !disk.committed.contains(letter.batch)
            else { throw Violation(description: "batch \(letter.batch) buried in vain") }
        case .close(let plan):
            let fails = isFaulty && random.chance(perMille: 100)
            let happening = Happening.stored(plan, fails: fails, generation: disk.snapshot.generation)
            agenda.add(happening, at: now + random.milliseconds(50, 600))
        case .drain, .finish, .record: break
        }
    }

    private mutating func send(_ downlink: Downlink, to node: NodeID, _ state: CoordinatorState) {
        guard let incarnation = state.membership[node]?.incarnation, let place = place(of: incarnation) else {
            return
        }
        send(downlink, to: place, incarnation)
    }

    private func place(of incarnation: Incarnation) -> Int? {
        let place = Int(incarnation.rawValue >> 32)
        return nodes.indices.contains(place) ? place : nil
    }

    /// The one transaction: what it writes must be exactly what the included offers were trained on.
    private mutating func store(_ plan: RoundPlan, fails: Bool) throws(Violation) {
        if fails {
            faults += 1
            let offender = plan.contributions[random.below(plan.contributions.count)]
            return random.chance(perMille: 500)
                ? try handle(.storeFailed(plan.round, "disk full"))
                : try handle(.offer(.rejected(offender.offer, .nonFinite, "NaN"), from: offender.node))
        }
        try Checks.examine(plan, on: disk, offers: offers)
        let version = ParameterVersion(round: plan.round, hash: testHash(0, plan.round.rawValue))
        disk.snapshot.parameters = version
        disk.snapshot.issued = plan.issued
        disk.committed.formUnion(plan.uses.map(\.batch))
        // The crash between the transaction and the word that it is done.
        if isFaulty, random.chance(perMille: 60) { return crashCoordinator() }
        try handle(.stored(version))
    }

    mutating func crashCoordinator() {
        faults += 1
        coordinator = nil
        coordinatorFrozenUntil = 0
        agenda.add(.startCoordinator, at: now + random.milliseconds(200, 8000))
    }
}
