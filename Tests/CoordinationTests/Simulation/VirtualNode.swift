import ClusterMessages

@testable import Coordination

/// What a node wants to happen.
enum NodeAction {
    case send(Uplink)
    case start(NodeTimer, after: Int64)
    /// A timer that a later one of the same node makes void.
    case startWork(after: Int64)
}

/// The rules every node follows: greet until welcomed, number its messages, greet again after any loss.
struct VirtualNode {
    enum Session { case greeting, joined }

    let role: Role
    let place: Int
    var incarnation: Incarnation
    var isRunning = false
    var isGone = false
    var frozenUntil: Int64 = 0
    /// Until when its messages do not leave, none arrive, and other nodes do not reach it.
    var cut = (up: Int64(0), down: Int64(0), data: Int64(0))
    /// Whether its processor computes wrong numbers.
    var isCorrupt = false
    var machine = "m"
    /// Whether some of its offers go much farther than the others'.
    var isErratic = false
    /// How many times slower it computes than others.
    var pace: Int64 = 1
    var session = Session.greeting
    var node: NodeID?
    var token = SessionToken(0)
    var sequence: UInt64 = 0
    var gate = SequenceGate(after: 0)
    var progress: UInt64 = 0
    var workToken = 0
    /// Batches on a rollout's disk; they outlive its process.
    var spool: [BatchID: ContentHash] = [:]
    var queue: [GrantedLease] = []
    /// Leases finished since the last hello, which does not tell of them.
    var finished: [GrantedLease] = []
    var version: ParameterVersion
    var latest: ParameterVersion
    var work: Work?
    var prefetch: [Prefetched] = []
    var stepping: BatchID?

    struct Prefetched {
        var trajectory: ProducedBatch
        var isHere = false
        var uses = 0
    }

    /// A trainer's steps since the base parameters.
    struct Work {
        let round: RoundNumber
        var steps = 0
        /// Whether the step in hand is the last.
        var isCut = false
        var uses: [Consumption] = []
        var offer: ContentHash?
        /// How far the offer is from the base.
        var distance = 1.0
    }

    init(_ role: Role, place: Int, version: ParameterVersion) {
        self.role = role
        self.place = place
        self.version = version
        latest = version
        incarnation = Incarnation(UInt64(place) << 32)
    }

    /// A new process of the node: nothing but its disk survives.
    mutating func start(keepingDisk: Bool, initial: ParameterVersion) -> [NodeAction] {
        incarnation = Incarnation(incarnation.rawValue + 1)
        isRunning = true
        frozenUntil = 0
        session = .greeting
        sequence = 0
        progress = 0
        queue = []
        finished = []
        version = initial
        latest = initial
        work = nil
        prefetch = []
        stepping = nil
        if !keepingDisk { spool = [:] }
        return greet() + [.start(.ping, after: 2000)]
    }

    func hello() -> Arrival {
        var arrival = Arrival(
            identity: "key \(place)",
            name: "\(role) \(place)",
            role: role,
            incarnation: incarnation,
            sequence: 0
        )
        arrival.machine = machine
        arrival.parameters = role == .trainer ? version : nil
        arrival.leases = queue.map { .init(batch: $0.batch, fence: $0.fence) }
        arrival.trajectories = spool.sorted { $0.key < $1.key }.map {
            .init(batch: $0, hash: $1, byteCount: 100)
        }
        return arrival
    }

    mutating func greet() -> [NodeAction] {
        session = .greeting
        finished = []
        return [.send(.hello(hello()))]
    }

    mutating func received(_ message: Downlink, sequence: UInt64) -> [NodeAction] {
        switch message {
        case .welcome(let node, let token, let latest):
            self.node = node
            self.token = token
            session = .joined
            gate = SequenceGate(after: sequence)
            return welcomed(latest)
        // While a hello is on its way, a refusal is about what was said before it, or repeated with the next
        // ping.
        case .refuse: return session == .joined ? greet() : []
        case .acceptOffer, .refuseOffer: return obey(message)  // another plane, without numbers
        default: break
        }
        guard session == .joined else { return [] }
        switch gate.admit(sequence) {
        case .next: return obey(message)
        case .repeated: return []
        case .gap: return greet()
        }
    }

    private mutating func welcomed(_ latest: ParameterVersion) -> [NodeAction] {
        guard role == .trainer else {
            return finished.map(report) + [
                .send(.message(.credit(CreditWindow(batches: 2, byteCount: 1 << 20))))
            ]
        }
        // Unused assignments are void until they are made again; steps taken are told again. What a step is
        // being made of is in the step, and is not fetched once more.
        prefetch.removeAll { $0.uses == 0 && $0.trajectory.batch != stepping }
        var actions = heard(of: latest)
        if version == latest { actions.append(.send(.message(.loaded(version)))) }
        for use in work?.uses ?? [] { actions.append(.send(.message(.consumed(use)))) }
        actions.append(.send(.message(.credit(CreditWindow(batches: 2, byteCount: 1 << 20)))))
        return actions
    }

    mutating func rang(_ timer: NodeTimer, spoolOf: (NodeID) -> VirtualNode?, settings: CoordinationSettings)
        -> [NodeAction]
    {
        switch timer {
        case .ping:
            let message: [NodeAction] =
                session == .joined ? [.send(.message(.ping(progress: progress)))] : greet()
            // The averaging plane has no numbers: an offer is repeated until its round is over.
            return message + announceOffer() + [.start(.ping, after: 2000)]
        case .work:
            progress += 1
            return role == .rollout ? finishLease() : finishStep(settings)
        case .fetched(let batch):
            guard let index = prefetch.firstIndex(where: { $0.trajectory.batch == batch && !$0.isHere })
            else {
                return []
            }
            let trajectory = prefetch[index].trajectory
            let holder = spoolOf(trajectory.holder)
            if let holder, holder.spool[batch] == trajectory.hash {
                prefetch[index].isHere = true
                return beginStep()
            }
            prefetch.remove(at: index)
            let code = holder == nil ? ErrorCode.expired : .notFound
            return [.send(.message(.fetchFailed(batch, trajectory.hash, holder: trajectory.holder, code)))]
        case .uploaded:
            guard let work, let offer = work.offer else { return [] }
            progress += 1
            return [
                .send(.offer(.progressed(offer, received: 1, of: 2))),
                .send(.offer(.complete(offer, distances: [work.distance]))),
            ]
        case .shared(let ring): return share(of: ring, others: spoolOf)
        case .loaded(let version):
            guard version == latest else { return [] }
            self.version = version
            return session == .joined ? greet() : []
        }
    }

    private mutating func obey(_ message: Downlink) -> [NodeAction] {
        switch message {
        case .pong(let latest), .announce(let latest):
            return role == .trainer ? heard(of: latest) : []
        case .grant(let lease):
            if spool[lease.batch] != nil { return [report(lease)] }
            if let index = queue.firstIndex(where: { $0.batch == lease.batch }) {
                queue[index] = lease
                return []
            }
            queue.append(lease)
            return queue.count == 1 ? [.startWork(after: 700)] : []
        case .cancelLease(let batch, let fence):
            // What has begun is finished: the result may still be welcome.
            let begun = queue.first?.batch
            queue.removeAll { $0.batch == batch && $0.fence == fence && $0.batch != begun }
            return []
        case .release(let batch, let hash):
            if spool[batch] == hash { spool[batch] = nil }
            return []
        case .assign(let trajectory):
            if let index = prefetch.firstIndex(where: { $0.trajectory.batch == trajectory.batch }) {
                prefetch[index].trajectory.after = trajectory.after
                return beginStep()
            }
            prefetch.append(Prefetched(trajectory: trajectory))
            return [.start(.fetched(trajectory.batch), after: 150)]
        case .open(let round):
            guard version.round.next == round else { return [] }
            if work == nil { work = Work(round: round) }
            return beginStep() + announceOffer()
        case .cut(let round):
            guard work?.round == round else { return [] }
            work?.isCut = true
            concludeWork(after: 1)
            return stepping == nil ? announceOffer() : []
        case .acceptOffer(let round):
            return work?.round == round ? [.start(.uploaded, after: 400)] : []
        case .ring(let ring):
            return [.start(.shared(ring), after: 300)]
        case .abort(let round):
            if work?.round == round { discardWork() }
            return greet()
        case .refuseOffer, .finish, .welcome, .refuse:
            return []
        }
    }

    // MARK: Rollouts

    private mutating func finishLease() -> [NodeAction] {
        guard !queue.isEmpty else { return [] }
        let lease = queue.removeFirst()
        spool[lease.batch] = isCorrupt ? testHash(7, lease.batch.rawValue) : hashes[Int(lease.batch.rawValue)]
        if session == .greeting { finished.append(lease) }
        return (queue.isEmpty ? [] : [.startWork(after: 700)]) + (session == .joined ? [report(lease)] : [])
    }

    private func report(_ lease: GrantedLease) -> NodeAction {
        // A batch released meanwhile is told of nevertheless: it is late.
        let hash = spool[lease.batch] ?? hashes[Int(lease.batch.rawValue)]
        return .send(.message(.produced(lease.batch, lease.fence, hash, byteCount: 100)))
    }

    // MARK: Trainers

    private mutating func heard(of version: ParameterVersion) -> [NodeAction] {
        guard version != latest || version != self.version else { return [] }
        let isNew = version != latest
        latest = version
        if let offer = work?.offer, offer == version.hash {
            // The only offer: what was committed is what is here.
            self.version = version
            discardWork()
            return session == .joined ? greet() : []
        }
        if let round = work?.round, round <= version.round { discardWork() }
        return isNew || self.version != version ? [.start(.loaded(version), after: 300)] : []
    }

    /// Steps thrown away take the batches they used with them.
    private mutating func discardWork() {
        work = nil
        stepping = nil
        prefetch.removeAll { $0.uses > 0 }
    }

    private mutating func beginStep() -> [NodeAction] {
        guard let work, work.offer == nil, stepping == nil else { return [] }
        let next = prefetch.first { batch in
            guard let before = batch.trajectory.after, batch.uses == 0 else { return batch.isHere }
            return batch.isHere && work.uses.contains { $0.batch == before }
        }
        guard let next else { return [] }
        stepping = next.trajectory.batch
        return [.startWork(after: 500)]
    }

    private mutating func finishStep(_ settings: CoordinationSettings) -> [NodeAction] {
        guard let batch = stepping, var work else { return [] }
        stepping = nil
        guard let index = prefetch.firstIndex(where: { $0.trajectory.batch == batch }) else {
            return beginStep()
        }
        prefetch[index].uses += 1
        let use = Consumption(
            batch: batch,
            hash: prefetch[index].trajectory.hash,
            round: work.round,
            samples: 3 + place,
            use: prefetch[index].uses
        )
        if prefetch[index].uses == settings.usesPerBatch { prefetch.remove(at: index) }
        work.steps += 1
        work.uses.append(use)
        self.work = work
        concludeWork(after: work.isCut ? 1 : settings.localSteps)
        let report: [NodeAction] = session == .joined ? [.send(.message(.consumed(use)))] : []
        return report + announceOffer() + beginStep()
    }

    /// Makes an offer of the steps, when they are enough and none is in hand.
    private mutating func concludeWork(after steps: Int) {
        guard let work, work.offer == nil, stepping == nil, work.steps >= steps else { return }
        // The hash names the process and its steps, so that a plan can be checked against what was trained.
        self.work?.offer = offerHash(place: place, incarnation, steps: Int(progress))
    }

    /// Measures the members' offers and makes a share of their mean, if all of them can be had.
    private mutating func share(of ring: AveragingRing, others: (NodeID) -> VirtualNode?) -> [NodeAction] {
        guard session == .joined else { return [] }
        progress += 1
        var squares: [Double] = []
        for part in ring.plan.contributions {
            let member = part.node == node ? self : others(part.node)
            guard let work = member?.work, work.offer == part.offer else {
                return [.send(.message(.ringFailed(ring.number, "trainer \(part.node) is not to be had")))]
            }
            squares.append(work.distance * work.distance / Double(ring.members.count))
        }
        let share = RingShare(hash: testHash(3, ring.number), byteCount: 100, squares: squares)
        return [.send(.message(.shared(share, ring: ring.number)))]
    }

    private func announceOffer() -> [NodeAction] {
        guard let work, let offer = work.offer, session == .joined else { return [] }
        let samples = work.uses.reduce(0) { $0 + $1.samples }
        return [.send(.offer(.started(token, work.round, base: version.round, samples: samples, offer)))]
    }
}

/// The bytes' hash of every batch: the same whoever produces it.
let hashes: [ContentHash] = (0..<600).map { testHash(1, UInt64($0)) }

func offerHash(place: Int, _ incarnation: Incarnation, steps: Int) -> ContentHash {
    testHash(2 + UInt64(place), incarnation.rawValue << 16 + UInt64(steps))
}
