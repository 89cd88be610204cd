import ClusterMessages
import Coordination
import ZeroMQ

/// The coordinator's mind: feeds ``CoordinatorState`` with what happens and carries its directives out.
///
/// Nothing in it waits: what is to be sent or computed becomes an ``Order``, and orders are given in the
/// order of the directives. What it writes to the ledger is on the disk before the order that tells of it.
actor ControlDesk {
    private(set) var state: CoordinatorState
    let facts: RunFacts
    let doorman: Doorman
    let letterhead: Letterhead
    let ledger: Ledger
    let clock: RunClock
    private let orders: AsyncStream<Order>.Continuation
    private var corpus: PromptCorpus
    var correspondents: [NodeID: Correspondent] = [:]
    var manifestHash: ContentHash?
    /// Where the mean of the last ring can be had.
    private var means: (round: RoundNumber, of: [Message.RingMean])?
    var record: RunRecord

    init(
        state: CoordinatorState,
        facts: RunFacts,
        doorman: Doorman,
        letterhead: Letterhead,
        ledger: Ledger,
        clock: RunClock,
        corpus: PromptCorpus,
        manifestHash: ContentHash?,
        record: RunRecord,
        orders: AsyncStream<Order>.Continuation
    ) {
        self.state = state
        self.facts = facts
        self.doorman = doorman
        self.letterhead = letterhead
        self.ledger = ledger
        self.clock = clock
        self.corpus = corpus
        self.manifestHash = manifestHash
        self.record = record
        self.orders = orders
    }

    // MARK: What happens

    /// A message came in on the control plane.
    func receive(_ received: ReceivedMessage) throws {
        let visit: Visit
        do {
            visit = try doorman.inspect(received)
        } catch {
            return try turnAway(error)
        }
        switch visit.message {
        case .hello(let hello): try greet(hello, visit)
        case .statusRequest: try answerStatus(to: visit.peer)
        case .command(let message):
            let command = OperatorCommand(message)
            if let objection = state.objection(to: command) {
                let refusal = Message.Refuse(code: objection.code, text: objection.text)
                return send(.refuse(refusal), to: visit.peer)
            }
            try handle(.command(command))
            try answerStatus(to: visit.peer)
        default:
            guard let said = NodeMessage(visit.message) else {
                return try turnAway(doorman.misplaced(visit, on: "control"))
            }
            try hear(said, visit)
        }
    }

    /// A person at this process's own face gives a command; returns why it changes nothing, if it does not.
    func obey(_ command: OperatorCommand) throws -> String? {
        if let objection = state.objection(to: command) { return objection.text }
        try handle(.command(command))
        return nil
    }

    /// Something happened to a trainer's offer.
    func offer(_ event: OfferEvent, from node: NodeID) throws { try handle(.offer(event, from: node)) }

    /// A round is on the disk.
    func stored(_ version: ParameterVersion, manifest: ContentHash?, took times: CommitTimes) throws {
        manifestHash = manifest
        try record.close(version.round, took: times, now: clock.now, time: clock.time)
        try handle(.stored(version))
    }

    /// A round could not be stored.
    func storeFailed(_ round: RoundNumber, _ reason: String) throws {
        try handle(.storeFailed(round, reason))
    }

    /// The shares of a closed round's mean could not be had.
    func sharesLost(_ round: RoundNumber, _ reason: String) throws { try handle(.sharesLost(round, reason)) }

    /// Where the shares of a plan's mean are; nil where a member no longer says.
    func means(of plan: RoundPlan) -> [Message.RingMean]? {
        let found = zip(plan.contributions, plan.shares).compactMap { part, share in
            correspondents[part.node]?.trajectoriesEndpoint.map { endpoint in
                Message.RingMean(
                    endpoint: endpoint,
                    publicKey: correspondents[part.node]?.trajectoriesPublicKey,
                    hash: share.hash,
                    byteCount: share.byteCount
                )
            }
        }
        guard found.count == plan.contributions.count else { return nil }
        means = (plan.round, found)
        return found
    }

    /// Why no round can be committed: what it counts is not written down yet; nil when nothing is in the way.
    var hindrance: String? { record.hindrance }

    /// This process begins to serve.
    func began() throws { try write(JournalLine.started, letterhead.incarnation.description) }

    /// Time passed.
    func tick() throws { try handle(.tick) }

    /// A new list of authorized nodes holds: the sessions of those it no longer has end.
    func authorize(_ nodes: AuthorizedNodes) throws {
        let ended = doorman.authorize(nodes)
        try write("authorized", "\(nodes.count) nodes, \(ended.count) sessions ended")
        for node in ended {
            guard let process = correspondents[node]?.incarnation else { continue }
            try handle(.violated(node, process, "its key is no longer authorized"))
        }
    }

    /// Something is wrong that the run goes on with.
    func complain(_ text: String) throws { try write("complaint", text) }

    /// Takes note of what the sockets let in and kept out.
    func note(_ doors: [RunStatus.Door]) { record.doors = doors }

    /// The lines of the log that are not in the ledger yet.
    var unwritten: [JournalLine] { record.unwritten }

    /// The first lines of ``unwritten`` are in the ledger.
    func wrote(_ count: Int) { record.wrote(count) }

    /// The run's status at this moment.
    func status() throws -> RunStatus {
        try record.writeOut()
        var status = record.status(
            of: state,
            refusals: doorman.refusals,
            now: clock.now,
            time: clock.time
        )
        status.figures.ledgerSeconds = ledger.seconds
        status.checkpointEndpoint = facts.checkpointEndpoint
        return status
    }

    /// Whether the run is over and every node has left.
    var isDeserted: Bool { state.isFinished && !state.membership.all.contains(where: \.isPresent) }

    /// Whether the run is over.
    var isFinished: Bool { state.isFinished }

    // MARK: Events and directives

    private func handle(_ event: CoordinatorEvent, from visit: Visit? = nil) throws {
        let now = clock.now
        let before = samplesUsed(asOf: event)
        let directives = state.handle(event, now: now)
        if case .received(.consumed(let use), let sender) = event, samplesUsed(asOf: event) > before {
            // What counts is written down before a round can close on it.
            try record.add(JournalLine(use, by: sender.node, epoch: epoch, time: clock.time))
        }
        for directive in directives { try carryOut(directive, answering: visit, now: now) }
    }

    /// Samples counted for the trainer that tells of a use; 0 for any other event.
    private func samplesUsed(asOf event: CoordinatorEvent) -> Int {
        guard case .received(.consumed, let sender) = event else { return 0 }
        return state.ledger.survey().samples[sender.node] ?? 0
    }

    private func greet(_ hello: Message.Hello, _ visit: Visit) throws {
        if let objection = objection(to: hello, visit) {
            doorman.refused()
            try record.add(line(Occurrence(.refused, "\(hello.name): \(objection.text)")))
            return send(.refuse(objection), to: visit.peer)
        }
        try handle(.arrived(Arrival(hello, visit)), from: visit)
    }

    private func hear(_ said: NodeMessage, _ visit: Visit) throws {
        let node = visit.header.sender
        if correspondents[node]?.incarnation == visit.header.incarnation {
            correspondents[node]?.peer = visit.peer
            if case .announce(let held) = visit.message {
                correspondents[node]?.checkpoint = held.manifestHash
            }
            record.note(visit.message, from: node, openRound: state.round.number, now: clock.now)
        }
        let sender = Sender(node, visit.header.incarnation, sequence: visit.header.sequence)
        try handle(.received(said, from: sender), from: visit)
    }

    private func turnAway(_ trespass: Trespass) throws {
        if let answer = trespass.answer, let peer = trespass.peer { send(.refuse(answer), to: peer) }
        guard let node = trespass.offender, let process = correspondents[node]?.incarnation else { return }
        try handle(.violated(node, process, trespass.text))
    }

    private func carryOut(_ directive: Directive, answering visit: Visit?, now: Instant) throws {
        switch directive {
        case .welcome(let node, _, let session):
            guard let visit, case .hello(let hello) = visit.message else { return }
            correspondents[node] = Correspondent(hello, visit, replacing: correspondents[node])
            doorman.seat(node, Doorman.Seat(role: hello.role, key: visit.key, token: session))
            send(.welcome(welcome(node, session)), to: node)
        case .remember(let node): try ledger.remember(node)
        case .refuse(let process, let code, let text):
            let former = correspondents.values.first { $0.incarnation == process }?.peer
            let peer = visit?.header.incarnation == process ? visit?.peer : former
            doorman.refused()
            if let peer { send(.refuse(Message.Refuse(code: code, text: text)), to: peer) }
        case .pong(let node): send(.pong(pong), to: node)
        case .drain(let node): send(.drain(Message.Drain(reason: "a person asked for it")), to: node)
        case .finish: tellEveryone(.finish)
        case .grant(let lease):
            try record.add(JournalLine(leased: lease, epoch: epoch, time: clock.time))
            record.granted(lease, now: now)
            let prompts = corpus.samples(of: lease.batch)
            send(.lease(message(for: lease, prompts, now: now)), to: lease.node)
        case .cancelLease(let batch, let fence, let node):
            send(.leaseCancel(Message.LeaseCancel(batch: batch, fence: fence)), to: node)
        case .assign(let trajectory, let node):
            try record.add(line(JournalLine.assigned, node, trajectory.batch))
            record.assigned(trajectory)
            if let assignment = message(for: trajectory) { send(.assign(assignment), to: node) }
        case .release(let batch, let hash, let node):
            send(.release(Message.Release(batch: batch, hash: hash)), to: node)
        case .bury(let letter): try ledger.bury(letter)
        case .open(let round, let members):
            let message = Message.RoundOpen(round: round, localStepCount: state.settings.localSteps)
            for node in members { send(.roundOpen(message), to: node) }
        case .cut(let round, let members):
            for node in members { send(.roundCut(Message.RoundCut(round: round)), to: node) }
        case .acceptOffer(let round, let node):
            try record.add(offeredIn: round, by: node, epoch: epoch, time: clock.time)
            orders.yield(.averaging(.accept(round, from: node)))
        case .holdOffer(let round, let node):
            try record.add(offeredIn: round, by: node, epoch: epoch, time: clock.time)
            orders.yield(.averaging(.hold(round, from: node)))
        case .ring(let ring, let members):
            let message = message(for: ring)
            for node in members { send(.ringOpen(message), to: node) }
        case .refuseOffer(let round, let node, let code, let text):
            let error = Message.RoundError(round: round, code: code, text: text)
            orders.yield(.averaging(.refuse(error, from: node)))
        case .close(let plan): orders.yield(.close(plan))
        case .announce(let version, let excluded): announce(version, excluded: excluded)
        case .abort(let round, let node, let reason):
            orders.yield(.averaging(.forget(node)))
            send(.roundAborted(Message.RoundAborted(round: round, reason: reason)), to: node)
        case .record(let occurrence): try record.add(line(occurrence))
        }
    }

    // MARK: Sending

    /// Sends outside of any session's order.
    func send(_ message: Message, to peer: RoutingID) { post(message, to: peer, sequence: 0) }

    /// Sends the next message of a node's session.
    private func send(_ message: Message, to node: NodeID) {
        guard var correspondent = correspondents[node] else { return }
        let number = correspondent.number()
        correspondents[node] = correspondent
        post(message, to: correspondent.peer, sequence: number)
    }

    private func tellEveryone(_ message: Message) {
        for node in state.membership.all where node.isPresent { send(message, to: node.id) }
    }

    private func announce(_ version: ParameterVersion, excluded: [NodeID]) {
        guard let manifestHash else { return }
        let means = means.flatMap { $0.round == version.round ? $0.of : nil } ?? []
        for node in state.membership.all where node.isPresent {
            let committed = Message.RoundCommitted(
                round: version.round,
                parameterHash: version.hash,
                manifestHash: manifestHash,
                excluded: excluded,
                means: node.role == .trainer ? means : []
            )
            send(.roundCommitted(committed), to: node.id)
        }
        orders.yield(.publish(Message.Announce(round: version.round, manifestHash: manifestHash)))
    }

    private func post(_ message: Message, to peer: RoutingID, sequence: UInt64) {
        do {
            let epoch = state.membership.epoch
            orders.yield(.send(try letterhead.frames(message, epoch: epoch, sequence: sequence), to: peer))
        } catch {
            // A number without a message: the node sees the gap, and its next hello repairs it.
            record.unsendable(message.kind, "\(error)")
        }
    }
}
