import Checkpoints
import ClusterMessages
import Coordination
import DiffusionModels
import Distillation
import Logging
import Tensors

/// What the main line does.
extension TrainerWorker {
    /// The pause before something that failed is tried again.
    private static let retryDelay = Duration.seconds(1)
    /// How often an offer is confirmed while its round is not committed: a coordinator that was restarted lost it.
    private static let confirmation = Duration.seconds(5)
    /// Steps are reported at most this often, and at the end of a round.
    private static let reportInterval = Duration.seconds(1)

    func carryOut(_ order: Order) async throws {
        try Task.checkCancellation()
        switch order {
        case .prepare: try await prepare()
        case .load(let round, let hash, let countsOffer, let means):
            try await load(round, hash, countsOffer: countsOffer, means: means)
        case .train(let open): try await train(open)
        }
    }

    // MARK: Beginning

    private func prepare() async throws {
        guard let configuration else { return }
        meter.turn(to: .computing, "reads the teacher in \(configuration.modelPath)")
        let (engine, digest, hash) = try await compute.run { [options] in
            let model = try ModelFolder(of: configuration)
            let engine = try TrainingEngine(
                model,
                configuration: configuration,
                lanes: options.lanes,
                folder: options.runFolder
            )
            return (engine, try model.contentDigest(), engine.hash)
        }
        self.engine = engine
        connection.update { $0.teacher = ContentHash(digest) }
        if configuration.cluster.topology == .ring {
            try await ring.serve(options)
            let keys = network.signature.session?.welcome.trainerPublicKeys ?? []
            await ring.allow(keys, coordinator: options.coordinatorKey)
        }
        let welcome = network.signature.session?.welcome
        let (latest, committed) = (welcome?.latestRound ?? .initial, welcome?.parameterHash)
        // A processor of another kind may make other numbers of round 0 than the coordinator's.
        let isSame = latest == .initial && (committed == nil || committed == hash)
        if isSame {
            announce(.initial, hash)
        } else {
            try await load(latest, committed, countsOffer: false)
        }
    }

    /// Tells the coordinator, by a new hello, what a round can begin with here.
    private func announce(_ round: RoundNumber, _ hash: ContentHash) {
        loaded = ParameterVersion(round: round, hash: hash)
        uses = nil
        offered = nil
        connection.update { inventory in
            inventory.round = round
            inventory.parameterHash = hash
        }
        meter.turn(to: .waiting, "waits for round \(round.next) to open")
        leaveIfDone()
        connection.renew()
    }

    // MARK: Loading

    private func load(
        _ round: RoundNumber,
        _ hash: ContentHash?,
        countsOffer: Bool,
        means: [Message.RingMean] = []
    ) async throws {
        guard let engine else { return }
        await ring.end()
        if let hash, hash == offered {
            // The only offer: what was committed is what is here.
            try await compute.run { engine.keep() }
            return announce(round, hash)
        }
        let averaging = configuration?.averaging ?? AveragingSettings()
        var segments = averaging.segments
        // A process that has loaded nothing yet has no discriminator and no moments of its own.
        if let loaded, loaded.round < round {
            segments = averaging.segments(averagedAfter: loaded.round, until: round)
        }
        // The shares are of what this round averaged, and lead from the round before it alone.
        var means = loaded?.round.next == round ? means : []
        while true {
            meter.turn(to: .exchanging, "downloads the parameters of round \(round)")
            do {
                let sizes = try await compute.run { [segments] in engine.sizes(of: segments) }
                let gathered = try await gather(means, averaging, sizes: sizes)
                let rest = sizes.filter { size in !gathered.contains { $0.name == size.name } }
                let others =
                    rest.isEmpty
                    ? [] : try await withExchange { try await $0.download(round, segments: rest) }
                let parts = gathered + others
                let found = try await compute.run { engine.hash(with: parts) }
                guard hash == nil || hash == found else {
                    segments = averaging.segments
                    throw NodeError.wrongBytes(
                        peer: "the coordinator",
                        subject: "the parameters of round \(round)",
                        expected: "SHA-256 \(hash?.abbreviated ?? "")",
                        actual: found.abbreviated
                    )
                }
                try await compute.run { engine.load(parts, countsOffer: countsOffer) }
                return announce(round, found)
            } catch let error as NodeError {
                log.warning("the parameters of round \(round): \(error)")
                guard means.isEmpty else {
                    means = []
                    continue  // The coordinator has them.
                }
                meter.turn(to: .waiting, "waits to ask again for the parameters of round \(round)")
                try await Task.sleep(for: Self.retryDelay)
            }
        }
    }

    /// What a ring's members have of the committed state: all that the mean is, without an outer step.
    private func gather(
        _ means: [Message.RingMean],
        _ averaging: AveragingSettings,
        sizes: [(name: String, byteCount: Int)]
    ) async throws -> [ParameterBytes.Segment] {
        guard !means.isEmpty else { return [] }
        let layout = sizes.map { size in
            Message.ParameterSegment(
                name: size.name,
                elementCount: size.byteCount / ScalarType.float32.byteCount,
                encoding: .float32
            )
        }
        let values = try await ring.gather(means, of: layout)
        return try await compute.run {
            zip(layout, values).compactMap { segment, values in
                let isStepped =
                    segment.name == StateSegment.student.rawValue && averaging.student == .nesterov
                return isStepped ? nil : ParameterBytes.Segment(name: segment.name, values: values)
            }
        }
    }

    /// A conversation on the averaging plane of the present session.
    private func withExchange<Value: Sendable>(
        _ body: (ParameterExchange) async throws -> Value
    ) async throws -> Value {
        guard let welcome = network.signature.session?.welcome else {
            throw NodeError.missing("the averaging plane", expected: "a welcome names it")
        }
        return try await network.withLink(
            to: welcome.averagingEndpoint,
            serverKey: welcome.serverPublicKey,
            peer: "the coordinator"
        ) { link in
            let patience = welcome.deadInterval * 3
            return try await body(ParameterExchange(link: link, meter: meter, patience: patience))
        }
    }

    // MARK: Training

    private func train(_ open: Message.RoundOpen) async throws {
        guard let engine else { return }
        uses = RoundUses(open.round)
        offered = nil
        try await compute.run { [options] in engine.begin(open.round, trainer: options.name) }
        var means = LossMeans()
        var lastReport = ContinuousClock.now
        var taken = 0
        var unreported = (evaluations: EvaluationCounts(), samples: 0)
        while taken < open.localStepCount, let step = try await takeStep(taken, of: open, on: engine) {
            meter.progressed()
            means.add(step.report.losses)
            unreported.evaluations += step.report.evaluations
            unreported.samples += step.draws.reduce(0) { $0 + $1.count }
            post(uses?.count(step.draws, step: taken))
            taken += 1
            let isLast = taken == open.localStepCount || ends(open, after: taken)
            if isLast || lastReport.duration(to: .now) >= Self.reportInterval {
                lastReport = .now
                let counts = EvaluationBook.measurements(unreported.evaluations, samples: unreported.samples)
                unreported = (EvaluationCounts(), 0)
                connection.post(.stepReport(message(step, open.round, index: taken - 1, counts)))
                reached(.trainerAfterStepReport)
            }
        }
        post(uses?.close(step: taken))
        try await offer(open.round, means, from: engine)
    }

    /// Whether a round ends before its next step: a person wants a checkpoint, and there is something to offer.
    private func ends(_ open: Message.RoundOpen, after steps: Int) -> Bool { steps > 0 && cut == open.round }

    /// The step of this index; nil when the round ends before it.
    private func takeStep(
        _ index: Int,
        of open: Message.RoundOpen,
        on engine: TrainingEngine
    ) async throws -> TrainingEngine.LocalStep? {
        let name = "round \(open.round), step \(index + 1) of \(open.localStepCount)"
        while !ends(open, after: index) {
            if engine.needsBatch {
                guard let (assignment, pieces) = try await prefetch.next(for: name) else { continue }
                meter.turn(to: .computing, "\(name): encodes the prompts of batch \(assignment.batch)")
                try await compute.run { try engine.add(assignment, pieces) }
                continue
            }
            meter.turn(to: .computing, name)
            if let step = try await compute.run({ engine.step() }) { return step }
        }
        return nil
    }

    private func post(_ reports: [Message.Consumed]?) {
        guard let reports, !reports.isEmpty else { return }
        connection.post(reports.map { .consumed($0) })
    }

    private func message(
        _ step: TrainingEngine.LocalStep,
        _ round: RoundNumber,
        index: Int,
        _ counts: [Message.Measurement]
    ) -> Message.StepReport {
        Message.StepReport(
            round: round,
            localStep: index,
            sampleCount: step.draws.reduce(0) { $0 + $1.count },
            losses: step.report.losses.map { .init(name: $0.name, value: $0.value) } + counts,
            gradientNorms: [.init(name: "student", value: step.report.gradientNorm)]
        )
    }

    // MARK: Offering

    /// Offers the round's result until the round is over, which ends the order.
    private func offer(_ round: RoundNumber, _ means: LossMeans, from engine: TrainingEngine) async throws {
        let local = try await compute.run { engine.offer(in: round) }
        offered = local.outcome
        if configuration?.cluster.topology == .ring { ring.shelf.offer = local }
        let offer = Message.Offer(
            round: round,
            baseRound: loaded?.round ?? .initial,
            sampleCount: uses?.sampleCount ?? 0,
            hash: local.hash,
            segments: local.layout,
            losses: means.measurements
        )
        reached(.trainerBeforeOffer)
        while true {
            var pause = Self.confirmation
            do {
                try await withExchange { exchange in
                    meter.turn(to: .exchanging, "offers its parameters of round \(round)")
                    try await exchange.upload(offer, local)
                }
                meter.turn(to: .waiting, "waits for round \(round) to be committed")
            } catch let error as NodeError {
                // A restarted coordinator opens the round again when it has heard everybody.
                if error.code == .staleEpoch || error.code == .expired { pause = Self.retryDelay }
                meter.turn(to: .waiting, "waits to offer round \(round) again: \(error)")
            }
            _ = try await offerAgain.next(within: pause)
        }
    }
}

/// Mean loss terms of a round's steps.
struct LossMeans: Sendable {
    private var names: [String] = []
    private var sums: [String: (total: Double, count: Int)] = [:]

    /// Adds one step's terms.
    mutating func add(_ losses: [StepReport.Loss]) {
        for loss in losses {
            let (name, value) = (loss.name, loss.value)
            if sums[name] == nil { names.append(name) }
            let (total, count) = sums[name] ?? (0, 0)
            sums[name] = (total + value, count + 1)
        }
    }

    /// The means, in the order in which terms first appeared.
    var measurements: [Message.Measurement] {
        names.compactMap { name in
            sums[name].map { Message.Measurement(name: name, value: $0.total / Double($0.count)) }
        }
    }
}
