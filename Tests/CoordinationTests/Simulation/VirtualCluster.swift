import ClusterMessages

@testable import Coordination

/// What is wrong with a virtual cluster's life.
struct Violation: Error, CustomStringConvertible {
    let description: String
}

/// A coordinator, two or three rollouts and trainers with a network, disks and a clock, all virtual.
///
/// Until `faultsEnd` messages are lost, doubled, late and out of order; nodes crash, freeze, fail, leave and
/// are cut off; the coordinator crashes, freezes and cannot store. Then everything works, each round must be
/// committed within ``patience``, and all trainers must end with the same parameters.
struct VirtualCluster {
    /// What survives a crash of the coordinator, as the runtime's transaction would write it.
    struct Disk {
        var snapshot: RunSnapshot
        var dead: Set<BatchID> = []
        var committed: Set<BatchID> = []

        /// The parameters it serves.
        var parameters: ParameterVersion { snapshot.parameters }
    }

    /// What an offer was made of.
    struct Making {
        let base: ContentHash
        let uses: [Consumption]
        /// Whether it went much farther than the others.
        let isWild: Bool
    }

    /// Milliseconds a round may take at most once nothing goes wrong any more.
    static let patience: Int64 = 75_000

    var settings: CoordinationSettings
    var random: SeededRandom
    var now: Int64 = 0
    var agenda = Agenda()
    var coordinator: CoordinatorState?
    var coordinatorFrozenUntil: Int64 = 0
    var disk: Disk
    var nodes: [VirtualNode] = []
    /// What each offer was made of, by its hash.
    var offers: [ContentHash: Making] = [:]
    /// The number of the last message to each place, and when each direction is free again.
    var downSequence: [UInt64]
    var free: [[Int64]]
    /// What went wrong, how often.
    var faults: [Fault: Int] = [:]
    let faultsEnd: Int64
    /// When a round was committed last.
    var progressedAt: Int64 = 0
    /// Nodes found to compute wrong numbers.
    var quarantines = 0
    /// Rounds that a ring averaged, and rings that came to nothing.
    var rings = (made: 0, broken: 0)
    /// Whether it prints what happens.
    var isTraced = false
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
        settings.assignment = random.chance(perMille: 500) ? .ordered : .ready
        settings.rounds = 3
        settings.topology = random.chance(perMille: 400) ? .ring : .star
        settings.localSteps = 2
        settings.quorum = [0, 0.5, 0.67, 1][random.below(4)]
        settings.hedging = random.chance(perMille: 700)
        let uses = settings.usesPerBatch
        let isNeedKnown = random.chance(perMille: 700)
        settings.batchesPerRound =
            settings.assignment == .ordered || isNeedKnown ? (settings.localSteps + uses - 1) / uses : nil
        let initial = ParameterVersion(round: .initial, hash: testHash(0, 0))
        disk = Disk(snapshot: RunSnapshot(parameters: initial))
        let roles: [Role] =
            [.rollout, .rollout, .trainer, .trainer] + (random.chance(perMille: 300) ? [.trainer] : [])
            + (random.chance(perMille: 300) ? [.rollout] : [])
        nodes = roles.enumerated().map { VirtualNode($1, place: $0, version: initial) }
        for place in nodes.indices where random.chance(perMille: 100) { nodes[place].pace = 4 }
        settings.auditShare = [0, 0.3, 1][random.below(3)]
        if random.chance(perMille: 300) { nodes[0].isCorrupt = true }
        if random.chance(perMille: 200) { nodes[1].machine = "n" }
        nodes[3].isErratic = random.chance(perMille: 500)
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
            guard now < max(faultsEnd, progressedAt) + Self.patience else {
                let reasons = coordinator?.waitingOn(now: instant) ?? ["no coordinator"]
                throw Violation(description: "no end in sight: \(reasons), \(disk.parameters)")
            }
            try happen(what)
            if coordinator?.isFinished ?? false, isAgreed { return }
        }
    }

    /// Whether every trainer that runs has the committed parameters.
    private var isAgreed: Bool {
        nodes.allSatisfy { $0.role != .trainer || !$0.isRunning || $0.version == disk.parameters }
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
            if case .refuse(.nonFinite) = message {
                // Turned away for its offers: only a new process is let in again.
                nodes[place].isRunning = false
                return agenda.add(.startNode(place: place), at: now + 500)
            }
            let actions = nodes[place].received(message, sequence: sequence)
            noteOffer(of: place)
            perform(actions, at: place)
        case .timer(let timer, let place, let incarnation, let token):
            try ring(timer, place: place, incarnation, token: token)
        case .tick(let generation):
            guard coordinator != nil, disk.snapshot.generation == generation else { return }
            agenda.add(.tick(generation: generation), at: now + 1000)
            try handle(.tick)
        case .stored(let plan, let fails, let generation):
            guard coordinator != nil, disk.snapshot.generation == generation else { return }
            try store(plan, fails: fails)
        case .fault:
            try breakSomething()
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

    private mutating func ring(
        _ timer: NodeTimer,
        place: Int,
        _ incarnation: Incarnation,
        token: Int
    ) throws(Violation) {
        guard nodes[place].isRunning, nodes[place].incarnation == incarnation else { return }
        switch timer {
        case .work where token != nodes[place].workToken: return
        case .loaded(let version):
            guard version == nodes[place].latest else { return }
            guard disk.parameters.round == version.round, coordinator != nil, nodes[place].cut.up <= now
            else { return perform([.start(timer, after: 500)], at: place) }
            guard disk.parameters == version else {
                throw Violation(description: "announced \(version), served \(disk.parameters)")
            }
        case .work, .ping, .fetched, .uploaded, .shared: break
        }
        let (others, moment) = (nodes, now)
        let actions = nodes[place].rang(
            timer,
            spoolOf: { id in
                others.first {
                    $0.node == id && $0.isRunning && $0.frozenUntil <= moment
                        && max($0.cut.data, others[place].cut.data) <= moment
                }
            },
            settings: settings
        )
        noteOffer(of: place)
        perform(actions, at: place)
    }

    /// Notes what a trainer's new offer was made of, and whether it goes too far.
    private mutating func noteOffer(of place: Int) {
        guard let work = nodes[place].work, let offer = work.offer, offers[offer] == nil else { return }
        // Only one trainer, so that it is never the majority.
        let isWild = now < faultsEnd && nodes[place].isErratic && random.chance(perMille: 300)
        if isWild { note(.wildOffer, at: place) }
        nodes[place].work?.distance = isWild ? 1000 : 1
        offers[offer] = Making(base: nodes[place].version.hash, uses: work.uses, isWild: isWild)
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
                agenda.add(timer, at: now + delay * nodes[place].pace + random.milliseconds(0, 400))
            }
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

    mutating func handle(_ event: CoordinatorEvent) throws(Violation) {
        guard var state = coordinator else { return }
        coordinator = nil  // so that the state is not copied
        let directives = state.handle(event, now: instant)
        if !event.isRoutine { try checks.examine(state, after: event, directives, now: instant) }
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
        case .open(let round, let members):
            try Checks.examine(members: members, of: state, among: nodes)
            for node in members { send(.open(round), to: node, state) }
        case .cut(let round, let members):
            for node in members { send(.cut(round), to: node, state) }
        case .acceptOffer(let round, let node): send(.acceptOffer(round), to: node, state)
        case .holdOffer: break
        case .ring(let ring, let members): for node in members { send(.ring(ring), to: node, state) }
        case .refuseOffer(let round, let node, _, _): send(.refuseOffer(round), to: node, state)
        case .announce(let version, _):
            for node in state.membership.all { send(.announce(version), to: node.id, state) }
        case .abort(let round, let node, _): send(.abort(round), to: node, state)
        case .bury(let letter):
            guard !letter.reason.isEmpty, disk.dead.insert(letter.batch).inserted,
                !disk.committed.contains(letter.batch)
            else { throw Violation(description: "batch \(letter.batch) buried in vain") }
        case .close(let plan):
            let fails = now < faultsEnd && random.chance(perMille: 100)
            let happening = Happening.stored(plan, fails: fails, generation: disk.snapshot.generation)
            agenda.add(happening, at: now + random.milliseconds(50, 600))
        case .record(let occurrence):
            trace("\(occurrence.kind) \(occurrence.node.map { "node \($0) " } ?? "")\(occurrence.text)")
            if occurrence.kind == .ringBroken { rings.broken += 1 }
            if occurrence.kind == .quarantined { try examineQuarantine(of: occurrence.node, state) }
        case .drain, .finish: break
        }
    }

    /// Only who computes wrong numbers may be outvoted.
    private mutating func examineQuarantine(of node: NodeID?, _ state: CoordinatorState) throws(Violation) {
        quarantines += 1
        let process = node.flatMap { state.membership[$0]?.incarnation }
        let place = process.flatMap { self.place(of: $0) }
        guard let place, nodes[place].isCorrupt else {
            throw Violation(description: "an honest rollout is in quarantine: \(node?.description ?? "")")
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
            note(.storing)
            let offender = plan.contributions[random.below(plan.contributions.count)]
            if random.chance(perMille: 500) { return try handle(.storeFailed(plan.round, "disk full")) }
            return plan.shares.isEmpty
                ? try handle(.offer(.rejected(offender.offer, .nonFinite, "NaN"), from: offender.node))
                : try handle(.sharesLost(plan.round, "NaN"))
        }
        if !plan.shares.isEmpty {
            if let lost = plan.contributions.first(where: { !isServed($0) }) {
                return try handle(.sharesLost(plan.round, "trainer \(lost.node) is gone"))
            }
            rings.made += 1
        }
        try Checks.examine(plan, on: disk, offers: offers)
        try checks.examineOrder(of: plan, on: disk, offers: offers)
        // The mean of one is that one; any other is like no other.
        let mean = testHash(0, plan.round.rawValue << 32 | UInt64(random.below(1 << 30)))
        let sole = plan.contributions.count == 1 ? plan.contributions.first?.offer : nil
        let version = ParameterVersion(round: plan.round, hash: sole ?? mean)
        disk.snapshot.parameters = version
        progressedAt = now
        disk.snapshot.issued = plan.issued
        disk.snapshot.contributors = plan.contributions.map(\.node).sorted()
        disk.committed.formUnion(plan.uses.map(\.batch))
        // The crash between the transaction and the word that it is done.
        if now < faultsEnd, random.chance(perMille: 60) { return crashCoordinator() }
        try handle(.stored(version))
    }

    /// Whether a member of a ring still has what it made.
    private func isServed(_ part: RoundPlan.Contribution) -> Bool {
        nodes.contains {
            $0.node == part.node && $0.isRunning && $0.frozenUntil <= now && $0.work?.offer == part.offer
        }
    }

    mutating func crashCoordinator() {
        note(.coordinatorCrash)
        coordinator = nil
        coordinatorFrozenUntil = 0
        agenda.add(.startCoordinator, at: now + random.milliseconds(200, 8000))
    }
}
