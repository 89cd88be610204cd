import ClusterMessages
import Coordination
import Distillation
import Logging
import ZeroMQ

/// A trainer worker: takes local steps on fetched trajectories, offers its parameters, and goes on from what the
/// round made of them.
package actor TrainerWorker {
    /// What the main line is to do; a newer order takes the place of the present one.
    enum Order: Equatable {
        /// Open the teacher and make the parameters of round 0.
        case prepare
        /// Load the newest committed parameters; the hash is nil where nobody told it, and an offer of this trainer
        /// counts when it is known to be in them.
        ///
        /// After a ring, its members have the mean; the coordinator has it in any case.
        case load(RoundNumber, ContentHash?, countsOffer: Bool, means: [Message.RingMean] = [])
        case train(Message.RoundOpen)
    }

    let options: WorkerOptions
    let network: NodeNetwork
    let meter = WorkMeter()
    let connection: CoordinatorConnection
    let compute = ComputeThread(name: "student")
    let prefetch: TrajectoryPrefetch
    let ring: RingWorker
    /// Says that the present offer is to be made again.
    let offerAgain = Inbox<Void>(limit: 1)
    let log: Logger
    private let follower: CheckpointFollower?
    /// Ends the run: in peace, or with what went wrong.
    private let end: AsyncThrowingStream<Void, any Error>.Continuation
    private let ending: AsyncThrowingStream<Void, any Error>
    /// The run's, with this machine's path of the teacher.
    var configuration: RunConfiguration?
    var engine: TrainingEngine?
    /// The parameters that the engine's next round begins with.
    var loaded: ParameterVersion?
    /// What the present round used; nil outside a round.
    var uses: RoundUses?
    /// The state that the present round's offer makes if it is the only one.
    var offered: ContentHash?
    /// The round that ends with the step in hand.
    var cut: RoundNumber?
    private var order: Order?
    private var line: Task<Void, Never>?
    private var isDraining = false
    /// The coordinator's process that welcomed this one last.
    private var coordinator: Incarnation?

    /// Opens nothing yet but its sockets' context.
    package init(_ options: WorkerOptions) throws {
        self.options = options
        network = try NodeNetwork(options)
        connection = CoordinatorConnection(options, network: network, meter: meter)
        prefetch = TrajectoryPrefetch(network: network, connection: connection, meter: meter)
        ring = RingWorker(network: network, connection: connection, meter: meter, compute: compute)
        log = Logger(label: options.name)
        follower =
            try options.fetchesCheckpoints
            ? CheckpointFollower(folder: "\(options.runFolder)/checkpoints", network: network, log: log) : nil
        (ending, end) = AsyncThrowingStream.makeStream(of: Void.self)
    }

    /// Works until the run is finished, the node drained or the task cancelled, and says goodbye.
    package func run() async throws {
        do {
            try await work()
        } catch {
            line?.cancel()
            await network.context.terminate()
            throw error
        }
        line?.cancel()
        await network.context.terminate()
    }

    private func work() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [connection] in try await connection.run() }
            group.addTask { await self.listen() }
            group.addTask { [ending] in for try await _ in ending {} }
            if let follower { group.addTask { try await follower.run() } }
            try await group.endWithFirst()
        }
    }

    // MARK: What the coordinator says

    private func listen() async {
        for await event in connection.events {
            switch event {
            case .welcomed(let session): await welcomed(session)
            case .lost(let reason): log.warning("lost the coordinator: \(reason)")
            case .turnedAway(let reason): log.warning("not let in for now, asks again: \(reason)")
            case .message(.finish):
                log.info("the run is finished")
                guard let follower else { return }
                follower.finish()  // its end is the worker's
            case .message(let message): await received(message)
            }
        }
    }

    private func welcomed(_ session: NodeSession) async {
        if coordinator != session.coordinator { log.info("joined as node \(session.welcome.node)") }
        coordinator = session.coordinator
        let latest = session.welcome.latestRound
        do {
            try configure(session.welcome)
        } catch {
            return end.finish(throwing: error)
        }
        await ring.allow(session.welcome.trainerPublicKeys, coordinator: options.coordinatorKey)
        await prefetch.doubt(isRoundOver: loaded.map { $0.round != latest } ?? false)
        // All that a session before may have lost is said again; what arrived twice is counted once.
        connection.post([credit] + (uses?.reports ?? []).map { .consumed($0) })
        if let manifest = session.welcome.manifestHash { follower?.announce(latest, manifest) }
        if engine == nil {
            if order != .prepare { begin(.prepare) }
        } else if let loaded, loaded.round != latest {
            catchUp(to: latest)
        } else if let hash = session.welcome.parameterHash, let loaded, loaded.hash != hash {
            log.warning("has other parameters of round \(latest) than the coordinator: loads them again")
            begin(.load(latest, hash, countsOffer: false))
        }
    }

    /// This trainer's number in the present session; the coordinator's where there is none.
    private var node: NodeID { network.signature.session?.welcome.node ?? .coordinator }

    private func configure(_ welcome: Message.Welcome) throws {
        configuration = try options.configuration(of: welcome)
    }

    /// How many batches are worth having: those that steps draw from, and before the last round as many for later.
    private var credit: Message {
        guard let configuration, !isDraining || uses != nil else {
            return .workCredit(.init(batchCount: 0, byteCount: 0))
        }
        let draws = configuration.batchSamples * configuration.maxUses
        let batches = max(configuration.mixedBatches, (configuration.training.batchSize + draws - 1) / draws)
        let isLast = loaded?.round.next.rawValue == configuration.cluster.rounds
        return .workCredit(
            .init(batchCount: isLast ? batches : 2 * batches, byteCount: options.heldByteLimit)
        )
    }

    private func received(_ message: Message) async {
        switch message {
        case .assign(let assignment): await prefetch.add(assignment)
        case .roundOpen(let open):
            guard order != .train(open) else { return offerAgain.deliver(()) }
            guard loaded?.round.next == open.round else { return }
            connection.post([credit])
            begin(.train(open))
        case .roundCut(let round): cut = round.round
        case .ringOpen(let open):
            if let engine { await ring.begin(open, base: engine.committed) }
        case .roundCommitted(let round):
            await prefetch.endRound()
            follower?.announce(round.round, round.manifestHash)
            if isDraining { return end.finish() }
            guard engine != nil else { return }
            let isIn = offered != nil && uses?.round == round.round && !round.excluded.contains(node)
            begin(.load(round.round, round.parameterHash, countsOffer: isIn, means: round.means))
        case .roundAborted(let round):
            log.warning("round \(round.round) is to be begun again: \(round.reason)")
            await startOver()
        case .pong(let pong):
            await ring.allow(pong.trainerPublicKeys, coordinator: options.coordinatorKey)
            await prefetch.settle()
            if let manifest = pong.manifestHash { follower?.announce(pong.latestRound, manifest) }
            if let loaded, pong.latestRound > loaded.round { catchUp(to: pong.latestRound) }
        case .drain(let drain): leave(drain.reason)
        default: break
        }
    }

    /// Finishes the round it works on, if it does, then leaves.
    func leave(_ reason: String) {
        log.info("leaves \(uses == nil ? "now" : "after this round"): \(reason)")
        isDraining = true
        leaveIfDone()
    }

    func leaveIfDone() {
        if isDraining, uses == nil { end.finish() }
    }

    /// The coordinator threw this trainer's steps away: so does it, and says hello to begin anew.
    private func startOver() async {
        line?.cancel()
        await ring.end()
        await prefetch.removeAll()
        if case .train = order { order = nil }
        uses = nil
        offered = nil
        leaveIfDone()
        connection.renew()
    }

    /// Loads a round of whose commit nothing was heard.
    private func catchUp(to round: RoundNumber) {
        if case .load(let underWay, _, _, _) = order, underWay >= round, loaded?.round != underWay { return }
        begin(round == .initial ? .prepare : .load(round, nil, countsOffer: false))
    }

    // MARK: The main line

    /// Replaces what the main line does, once that has stopped.
    private func begin(_ next: Order) {
        let previous = line
        previous?.cancel()
        order = next
        line = Task {
            await previous?.value
            do {
                try await carryOut(next)
            } catch is CancellationError {
                return
            } catch {
                end.finish(throwing: error)
            }
        }
    }
}

/// Runs a trainer worker until the run is finished or the process is told to stop.
package func runTrainerWorker(_ options: WorkerOptions) async throws {
    let worker = try TrainerWorker(options)
    try await untilDrained(within: options.drainLimit) {
        try await worker.run()
    } drain: {
        await worker.leave("it was told to stop")
    }
}
