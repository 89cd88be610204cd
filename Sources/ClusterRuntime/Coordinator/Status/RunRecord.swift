import ClusterMessages
import Coordination

/// What a coordinator remembers for people: figures of the nodes, losses, paces, and the log.
struct RunRecord: Sendable {
    /// Batches whose times give the present pace.
    private static let paceCount = 32

    private let runID: String
    private let batchSamples: Int
    private var journal: Journal
    /// Lines of the log that are not in the ledger yet.
    private(set) var unwritten: [JournalLine] = []
    private var pings: [NodeID: Message.Ping] = [:]
    private var losses = LossBook()
    private var evaluations = EvaluationBook()
    private var producedSamples: Int
    private var producedAt: [Instant] = []
    private var pace = CommitPace()
    private var unsendable: [String] = []
    private var times = RoundTimes()
    private var figures = RunFigures()
    private var leases = OpenLeases()
    private var rates = WorkRates()
    /// By batch, of trajectories that were assigned since they were last used.
    private var assignedByteCounts: [BatchID: Int] = [:]
    /// The last round of which each trainer began to upload an offer.
    private var offered: [NodeID: RoundNumber] = [:]
    /// What the sockets let in and kept out, as last told.
    var doors: [RunStatus.Door] = []

    /// - Parameter committedBatches: those that earlier lives of the coordinator saw committed.
    init(runID: String, batchSamples: Int, committedBatches: Int, journal: Journal) {
        self.runID = runID
        self.batchSamples = batchSamples
        self.journal = journal
        producedSamples = committedBatches * batchSamples
    }

    // MARK: What happens

    /// Logs what happened.
    mutating func add(_ line: JournalLine) throws(CoordinatorError) {
        try journal.append(line)
        times.note(line)
        figures.note(line)
        if line.kind == JournalLine.consumed, let batch = line.batch {
            let byteCount = assignedByteCounts.removeValue(forKey: batch) ?? 0
            if line.use == 1 { figures.fetchedByteCount += byteCount }
        }
        if line.kind == JournalLine.consumed, line.use == 1, let node = line.node {
            rates.did(batchSamples, by: node)
        }
        unwritten.append(line)
    }

    /// Logs that a trainer began to upload an offer, the first time it does so in a round.
    mutating func add(offeredIn round: RoundNumber, by node: NodeID, epoch: UInt64, time: Double)
        throws(CoordinatorError)
    {
        guard offered[node] != round else { return }
        offered[node] = round
        try add(JournalLine(offeredIn: round, by: node, epoch: epoch, time: time))
    }

    /// Takes the figures out of a node's message.
    mutating func note(_ message: Message, from node: NodeID, openRound: RoundNumber, now: Instant) {
        switch message {
        case .ping(let ping):
            pings[node] = ping
            let busy = ping.computeTime + ping.wireTime
            rates.heard(node, busy: busy.inSeconds, now: Instant.zero.duration(to: now).inSeconds)
        case .stepReport(let report):
            losses.add(report, openRound: openRound)
            evaluations.add(report)
        case .trajectoryReady(let ready):
            figures.producedBatches += 1
            evaluations.add(ready, trajectories: batchSamples)
            figures.rolloutSeconds.add(ready.elapsed.inSeconds)
            if let time = leases.settle(ready.batch, ready.fence, at: now) {
                figures.leaseSeconds.add(time.inSeconds)
            }
            rates.did(batchSamples, by: node)
            producedSamples += batchSamples
            producedAt.append(now)
            if producedAt.count > Self.paceCount { producedAt.removeFirst() }
        default: break
        }
    }

    /// A batch was given to a rollout.
    mutating func granted(_ lease: GrantedLease, now: Instant) {
        leases.grant(lease.batch, lease.fence, at: now)
    }

    /// A trainer was told to fetch a trajectory, unless it has it: what it did not come to in a round is assigned again.
    mutating func assigned(_ trajectory: ProducedBatch) {
        assignedByteCounts[trajectory.batch] = trajectory.byteCount
    }

    /// Logs a committed round's losses.
    mutating func close(
        _ round: RoundNumber,
        took times: CommitTimes,
        now: Instant,
        time: Double
    ) throws(CoordinatorError) {
        pace.committed(at: now)
        figures.note(times)
        guard let means = losses.close(round) else { return }
        try add(JournalLine(losses: means, of: round, time: time))
    }

    /// Notes a message that could not be written for the wire.
    mutating func unsendable(_ kind: Message.Kind, _ reason: String) {
        unsendable = ["a \(kind) could not be sent: \(reason)"]
    }

    /// The first lines that were not in the ledger are.
    mutating func wrote(_ count: Int) { unwritten.removeFirst(count) }

    /// Writes lines that waited for room on the disk, as far as there is some.
    mutating func writeOut() throws(CoordinatorError) { try journal.writeOut() }

    /// Why not all of the log is on the disk; nil when it is.
    var hindrance: String? {
        guard journal.waitingByteCount > 0 else { return nil }
        return "the disk is full: \(journal.waitingByteCount) bytes wait for room in \(journal.path)"
    }

    // MARK: What people see

    func status(of state: CoordinatorState, refusals: Int, now: Instant, time: Double) -> RunStatus {
        var status = RunStatus(runID: runID, rounds: state.settings.rounds)
        let elapsed = Instant.zero.duration(to: now).inSeconds
        status.state = state.runState
        status.round = state.parameters.round
        status.isRoundOpen = state.round.phase != .waiting
        status.losses = losses.latest
        status.trajectories.total = producedSamples
        status.trajectories.perSecond = samplesPerSecond
        let survey = state.ledger.survey()
        status.batches = RunStatus.Batches(survey.census)
        status.nodes = state.membership.all.map { node in
            var figures = RunStatus.Node(node, lastPing: pings[node.id])
            figures.samples = rates.total(of: node.id)
            figures.samplesPerSecond = node.isPresent ? rates.perSecond(of: node.id) : 0
            figures.outstanding = RunStatus.Outstanding(survey.load(of: node.id))
            return figures
        }
        status.figures = figures
        status.figures.evaluations = evaluations.means
        status.figures.recommendedRollouts = recommendedRollouts(state, survey)
        status.waitingOn = [hindrance].compactMap(\.self) + state.waitingOn(now: now) + unsendable
        if !state.isFinished {
            let rest = state.settings.rounds - state.parameters.round.rawValue
            status.secondsLeft = pace.secondsLeft(rest, at: now)
        }
        status.averaging = times.total
        status.refusals = refusals
        status.doors = doors
        status.peakMemoryByteCount = ClusterRuntime.peakMemoryByteCount()
        status.time = time
        status.elapsed = elapsed
        return status
    }

    /// None when no further batch is needed and none is on its way.
    private func recommendedRollouts(_ state: CoordinatorState, _ survey: BatchLedger.Survey) -> Int? {
        let census = survey.census
        let isWorking = census.pending + census.leased + census.produced + census.assigned > 0
        guard !state.isFinished, isWorking || state.needsBatches(survey) else { return 0 }
        return rates.recommendedRollouts(
            rollouts: state.membership.present(.rollout).map(\.id),
            trainers: state.membership.present(.trainer).map(\.id)
        )
    }

    private var samplesPerSecond: Double {
        guard let first = producedAt.first, let last = producedAt.last, first < last else { return 0 }
        return Double((producedAt.count - 1) * batchSamples) / first.duration(to: last).inSeconds
    }
}

extension RunStatus.Batches {
    fileprivate init(_ census: Census) {
        self.init(
            pending: census.pending,
            leased: census.leased,
            produced: census.produced,
            assigned: census.assigned,
            consumed: census.consumed,
            committed: census.committed,
            dead: census.dead
        )
    }
}

extension RunStatus.Outstanding {
    fileprivate init(_ load: Load) { self.init(batches: load.batches, byteCount: load.byteCount) }
}

extension RunStatus.Node {
    fileprivate init(_ node: Membership.Node, lastPing ping: Message.Ping?) {
        let state = node.isPresent && node.isQuarantined ? "quarantined" : node.standing.rawValue
        self.init(id: node.id, name: node.name, role: node.role, state: state)
        guard let ping else { return }
        activity = ping.activity
        progress = ping.progress
        heldByteCount = ping.heldByteCount
        seconds.compute = ping.computeTime.inSeconds
        seconds.wait = ping.waitTime.inSeconds
        seconds.wire = ping.wireTime.inSeconds
        peakMemoryByteCount = ping.peakMemoryByteCount
    }
}
