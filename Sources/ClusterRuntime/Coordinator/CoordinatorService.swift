import Checkpoints
import ClusterMessages
package import Coordination
import DiffusionModels
import Distillation
import Foundation
package import ZeroMQ

/// The coordinator's process: sockets, desks, ledger and checkpoints of one run.
///
/// `init` opens everything and is ready to be found; `run` serves until the run is finished. Killed at any
/// moment and started again on the same folder, it goes on from the last committed round.
package final class CoordinatorService: Sendable {
    /// Between two looks at the clock.
    private static let tick: Duration = .milliseconds(250)
    /// How long a finished coordinator waits for the nodes' goodbyes.
    private static let farewell: Duration = .seconds(5)

    /// Where nodes and operators reach it.
    package let controlEndpoint: String
    /// The key it is known by; nil when insecure.
    package let publicKey: CurvePublicKey?
    /// The run's identifier.
    package let runID: String

    /// What it tells those beside it: its status every second, and that it is alive.
    package let feed = StatusFeed()

    let folder: RunFolder
    let ledger: Ledger
    private let sockets: CoordinatorSockets
    private let doorman: Doorman
    let control: ControlDesk
    private let averaging: AveragingDesk
    private let checkpoints: CheckpointDesk
    private let store: RoundStore
    /// How it reaches the members of a ring.
    private let peers: NodeNetwork
    private let authorization: AuthorizationFile?
    private let storeThread = ComputeThread(name: "rounds")
    /// Where the report is written.
    let reportThread = ComputeThread(name: "report")
    private let orders: AsyncStream<Order>

    /// Takes the run's folder, restores the run, binds the sockets and writes `coordinator.json`.
    ///
    /// - Throws: ``CoordinatorError`` for what is wrong with the folder, the ledger or the options; errors of
    ///   the model's files, of checkpoints and of sockets as they are.
    package init(_ options: CoordinatorOptions) async throws {
        let configuration = options.configuration
        folder = try RunFolder(path: options.runFolder)
        ledger = try Ledger(folder: options.runFolder)
        authorization = options.isInsecure ? nil : AuthorizationFile(path: options.authorizedNodesPath)
        let authorized = options.isInsecure ? nil : try AuthorizedNodes(path: options.authorizedNodesPath)
        let corpus = try PromptCorpus(configuration)
        let teacher = try ModelFolder(path: configuration.modelPath)
        store = try RoundStore(options, teacher: teacher, ledger: ledger, folder: folder)
        let identity = store.identity
        runID = identity.runID
        let clock = RunClock()
        let incarnation = Incarnation.random()
        let snapshot = try ledger.begin(identity, in: folder.path, as: incarnation, at: clock.time)
        try folder.write(configuration.yaml, as: RunFolder.configurationName)
        let last = try store.restore()

        sockets = try await CoordinatorSockets(options, authorized: authorized)
        peers = try NodeNetwork(name: "ring", keys: options.keys, isInsecure: options.isInsecure)
        controlEndpoint = sockets.control.endpoint
        publicKey = options.isInsecure ? nil : options.keys.publicKey
        doorman = Doorman(runID: identity.runID, authorized: authorized)
        let letterhead = Letterhead(runID: identity.runID, incarnation: incarnation)
        let (orders, continuation) = AsyncStream.makeStream(of: Order.self)
        self.orders = orders
        var settings = configuration.cluster
        settings.teacher = identity.teacher
        settings.batchesPerRound = configuration.batchesPerRound
        control = ControlDesk(
            state: CoordinatorState(restoring: snapshot, settings: settings, now: clock.now),
            facts: RunFacts(
                identity: identity,
                yaml: configuration.yaml,
                seed: configuration.seed,
                batchSamples: configuration.batchSamples,
                averagingEndpoint: sockets.averaging.endpoint,
                checkpointEndpoint: sockets.checkpoints.endpoint,
                announcementEndpoint: sockets.announcements.endpoint,
                serverPublicKey: publicKey?.text
            ),
            doorman: doorman,
            letterhead: letterhead,
            ledger: ledger,
            clock: clock,
            corpus: corpus,
            manifestHash: last.manifestHash,
            record: RunRecord(
                runID: identity.runID,
                batchSamples: configuration.batchSamples,
                committedBatches: snapshot.committed.count,
                journal: try Journal(path: folder.file(RunFolder.eventsName))
            ),
            orders: continuation
        )
        averaging = AveragingDesk(
            channel: sockets.averaging.channel,
            control: control,
            doorman: doorman,
            letterhead: letterhead,
            averaging: configuration.averaging,
            folder: folder.path,
            committed: last
        )
        checkpoints = CheckpointDesk(
            channel: sockets.checkpoints.channel,
            publisher: sockets.announcements.channel,
            control: control,
            doorman: doorman,
            letterhead: letterhead
        )
        try await checkpoints.serve(try store.prune())
        try folder.announce(
            CoordinatorAddress(control: controlEndpoint, publicKey: publicKey?.text, runID: runID)
        )
    }

    /// Serves until the run is finished and its nodes have left, or the task is cancelled; then closes all.
    ///
    /// - Throws: what makes going on impossible: the ledger or the folder cannot be written.
    package func run() async throws {
        let result: Result<Void, any Error>
        do {
            try await serve()
            result = .success(())
        } catch is CancellationError {
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await sockets.context.terminate()
        await peers.context.terminate()
        try? await writeEvents()
        try? await writeStatus()
        feed.finish()
        try ledger.close()
        try result.get()
    }

    /// Obeys a person at this process's own face.
    ///
    /// - Returns: why the command changes nothing; nil when it is carried out.
    package func command(_ command: OperatorCommand) async throws -> String? {
        let objection = try await control.obey(command)
        if objection == nil { try await writeStatus() }
        return objection
    }

    // MARK: Serving

    private func serve() async throws {
        try await control.began()
        if let shortage = sockets.connections.shortage { try await control.complain(shortage) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await message in self.sockets.control.channel.messages {
                    try await self.control.receive(message)
                }
            }
            group.addTask {
                for await message in self.sockets.averaging.channel.messages {
                    try await self.averaging.receive(message)
                }
            }
            group.addTask {
                for await message in self.sockets.checkpoints.channel.messages {
                    await self.checkpoints.receive(message)
                }
            }
            if let authenticator = sockets.authenticator {
                group.addTask { for await _ in authenticator.refusals { self.doorman.refused() } }
            }
            // Each plane carries its own orders out: no pong waits for the disk on which an offer is put.
            let (offers, offerLine) = AsyncStream.makeStream(of: AveragingOrder.self)
            let (news, newsLine) = AsyncStream.makeStream(of: Message.Announce.self)
            group.addTask { for await order in offers { try await self.averaging.obey(order) } }
            group.addTask { for await checkpoint in news { await self.checkpoints.publish(checkpoint) } }
            group.addTask { try await self.obey(passing: offerLine, newsLine) }
            group.addTask { try await self.report() }
            group.addTask { try await self.watch() }
            // Only the watch ends by itself, when all is done; anything else that ends has failed.
            try await group.next()
            group.cancelAll()
        }
    }

    /// Sends what is to be sent and passes other orders on, in turn; rounds are stored beside.
    private func obey(
        passing offers: AsyncStream<AveragingOrder>.Continuation,
        _ news: AsyncStream<Message.Announce>.Continuation
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for await order in orders {
                switch order {
                case .send(let frames, let peer):
                    // Who cannot be reached, or does not read, sees the gap in the numbers and says hello.
                    sockets.control.channel.post(frames, to: peer)
                case .averaging(let order): offers.yield(order)
                case .publish(let checkpoint): news.yield(checkpoint)
                case .close(let plan):
                    // A round that is being stored is stored, even when the process is told to stop meanwhile.
                    group.addTask { try await Task { try await self.close(plan) }.value }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Makes a closed round durable, serves it, and only then lets it be announced.
    private func close(_ plan: RoundPlan) async throws {
        if let hindrance = await control.hindrance {
            return try await control.storeFailed(plan.round, hindrance)
        }
        guard let source = try await source(of: plan) else { return }
        let last = await averaging.last
        let committed: CommittedRound
        do {
            committed = try await storeThread.run { [store] in
                try store.commit(plan, from: source, after: last)
            }
        } catch CoordinatorError.badParameters(_, let reason) where !plan.shares.isEmpty {
            return try await control.sharesLost(plan.round, reason)
        } catch {
            return try await control.storeFailed(plan.round, "\(error)")
        }
        await averaging.adopt(committed)
        try await checkpoints.serve(try await storeThread.run { [store] in try store.prune() })
        reached(.coordinatorBeforeAnnouncement)
        try await control.stored(
            committed.version,
            manifest: committed.manifestHash,
            took: committed.times
        )
    }

    /// What a plan's mean is made of; nil where it is not here, which the control desk is told.
    private func source(of plan: RoundPlan) async throws -> RoundAverage.Source? {
        guard plan.shares.isEmpty else { return try await sharedMean(of: plan) }
        let offers = await averaging.offers(of: plan)
        if let lost = zip(plan.contributions, offers).first(where: { $0.1 == nil })?.0 {
            let event = OfferEvent.rejected(lost.offer, .notFound, "its bytes are gone")
            try await control.offer(event, from: lost.node)
            return nil
        }
        return .offers(offers.compactMap(\.self))
    }

    private func sharedMean(of plan: RoundPlan) async throws -> RoundAverage.Source? {
        guard let means = await control.means(of: plan) else {
            try await control.sharesLost(plan.round, "a member no longer says where it serves")
            return nil
        }
        let segments = await averaging.segments(averagedIn: plan.round)
        let gathering = RingGathering(
            network: peers,
            partition: RingPartition(segments: segments, memberCount: means.count),
            patience: await control.state.settings.deadAfter
        )
        do {
            let values = try await gathering.gather(means)
            return .mean(Dictionary(zip(segments.map(\.name), values)) { first, _ in first })
        } catch {
            try await control.sharesLost(plan.round, "\(error)")
            return nil
        }
    }

    /// Keeps time, and sees when the run is over.
    private func watch() async throws {
        let clock = ContinuousClock()
        var finishedAt: ContinuousClock.Instant?
        // Nodes of a run that was finished before this process began have yet to come and hear it.
        let beganFinished = await control.isFinished
        var authorization = authorization
        let manager = ServiceManager.present
        var signs = SignsOfLife(to: manager)
        manager?.tell("READY=1", "STATUS=run \(runID) at \(controlEndpoint)")
        defer { manager?.tell("STOPPING=1") }
        while true {
            try await control.tick()
            feed.tick()
            signs.give()
            try await readAgain(&authorization)
            await control.note(await sockets.counts)
            if await control.isFinished {
                let since = finishedAt ?? clock.now
                finishedAt = since
                let isDeserted = await control.isDeserted && !beganFinished
                if since.duration(to: clock.now) >= (isDeserted ? Self.tick : Self.farewell) { return }
            }
            try await clock.sleep(for: Self.tick)
        }
    }

    /// Obeys a changed file of authorized nodes; one that cannot be read leaves the list as it was.
    private func readAgain(_ file: inout AuthorizationFile?) async throws {
        do {
            guard let nodes = try file?.changes() else { return }
            // The door first, so that a node whose session ends stays outside.
            await sockets.admit(nodes)
            try await control.authorize(nodes)
        } catch let error as CoordinatorError where error.isAboutAuthorization {
            try await control.complain("the list of authorized nodes stays as it was: \(error)")
        }
    }
}
