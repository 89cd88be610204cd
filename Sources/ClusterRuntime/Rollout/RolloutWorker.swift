import ClusterMessages
import DiffusionModels
import Logging
import ZeroMQ

/// A rollout worker: takes leases, solves them with the teacher, serves the trajectories until they are released.
package actor RolloutWorker {
    /// Leases asked for at once: one to compute and one to follow it.
    static let leaseWindow = 2

    let options: WorkerOptions
    let network: NodeNetwork
    let meter = WorkMeter()
    let connection: CoordinatorConnection
    let compute = ComputeThread(name: "teacher")
    let shelf = TrajectoryShelf()
    let follower: CheckpointFollower?
    let log: Logger
    private var server: PeerServer?
    var queue = LeaseQueue()
    var model: ModelFolder?
    var solver: TrajectorySolver?
    var isDraining = false
    /// Wakes the main line.
    let news = Inbox<Void>(limit: 1)

    /// Opens nothing yet but its sockets' context.
    package init(_ options: WorkerOptions) throws {
        self.options = options
        network = try NodeNetwork(options)
        connection = CoordinatorConnection(options, network: network, meter: meter)
        log = Logger(label: options.name)
        follower =
            try options.fetchesCheckpoints
            ? CheckpointFollower(
                folder: "\(options.runFolder)/checkpoints",
                network: network,
                log: log,
                connection: connection
            ) : nil
    }

    /// Works until the run is finished, the node drained or the task cancelled, and says goodbye.
    package func run() async throws {
        do {
            try await work()
        } catch {
            await network.context.terminate()
            throw error
        }
        await network.context.terminate()
    }

    private func work() async throws {
        if let path = options.modelPath { try await open(path) }
        let server = try await makeServer()
        self.server = server
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [connection] in try await connection.run() }
            group.addTask { await server.run() }
            group.addTask { try await self.solveLeases() }
            group.addTask { try await self.listen() }
            if let follower { group.addTask { try await follower.run() } }
            try await group.endWithFirst()
        }
    }

    // MARK: What the coordinator says

    private func listen() async throws {
        for await event in connection.events {
            switch event {
            case .welcomed(let session): try await welcomed(session)
            case .lost(let reason): log.warning("lost the coordinator: \(reason)")
            case .turnedAway(let reason): log.warning("not let in for now, asks again: \(reason)")
            case .message(.finish):
                log.info("the run is finished")
                guard let follower else { return }
                follower.finish()  // its end is the worker's
            case .message(let message): await received(message)
            }
            if isDone { return }
        }
    }

    /// Takes no more leases, and leaves when trainers have what it made.
    func leave(_ reason: String) {
        log.info("leaves when its work is done: \(reason)")
        isDraining = true
        connection.post(credit)
        news.deliver(())
    }

    /// Whether it is to leave, and nobody needs it any more.
    var isDone: Bool { isDraining && queue.first == nil && shelf.all.isEmpty }

    private func welcomed(_ session: NodeSession) async throws {
        log.info("joined as node \(session.welcome.node)")
        await allow(session.welcome.trainerPublicKeys)
        if solver == nil { try await prepare(session.welcome) }
        connection.post([credit] + shelf.all.map { .trajectoryReady($0.ready) })
        if let checkpoint = follower?.shelf.newest { connection.post(.announce(checkpoint)) }
        if let follower, let manifest = session.welcome.manifestHash {
            follower.announce(session.welcome.latestRound, manifest)
        }
        news.deliver(())
    }

    private var credit: Message {
        let batches = isDraining ? 0 : Self.leaseWindow
        return .workCredit(.init(batchCount: batches, byteCount: options.heldByteLimit))
    }

    private func received(_ message: Message) async {
        switch message {
        case .lease(let lease):
            if let item = shelf.item(of: lease.batch) {
                connection.post(.trajectoryReady(item.ready))
            } else {
                queue.add(lease)
            }
        case .leaseCancel(let cancel): queue.cancel(cancel.batch, cancel.fence)
        case .release(let release): shelf.release(release.batch, release.hash)
        case .pong(let pong):
            await allow(pong.trainerPublicKeys)
            if let follower, let manifest = pong.manifestHash {
                follower.announce(pong.latestRound, manifest)
            }
        case .roundCommitted(let round): follower?.announce(round.round, round.manifestHash)
        case .drain(let drain): leave(drain.reason)
        default: break
        }
        stock()
        news.deliver(())
    }

    /// Serves the trainers of these keys, and ends the connections of others.
    private func allow(_ keys: [String]) async {
        await server?.allow(Set(keys.compactMap { try? CurvePublicKey($0) }))
    }

    /// Brings what the next hello and ping say up to date.
    func stock() {
        let items = shelf.all
        connection.update { [queue] inventory in
            inventory.leases = queue.held
            inventory.trajectories = items.map {
                .init(batch: $0.batch, hash: $0.trajectories.hash, byteCount: $0.trajectories.byteCount)
            }
        }
        meter.holds(byteCount: shelf.byteCount)
    }
}

/// Runs a rollout worker until the run is finished or the process is told to stop.
package func runRolloutWorker(_ options: WorkerOptions) async throws {
    let worker = try RolloutWorker(options)
    try await untilDrained(within: options.drainLimit) {
        try await worker.run()
    } drain: {
        await worker.leave("it was told to stop")
    }
}
