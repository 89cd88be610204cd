import Checkpoints
import DiffusionModels
package import Distillation
package import Evaluation
import FlowMatching
import Foundation
import ImageFiles
import NeuralNetwork
import Synchronization
package import Tensors

/// The training of a teacher on this machine, from its start or from where it was stopped.
package struct Pretraining: Sendable {
    /// Where weights come from.
    package enum Start: Sendable {
        /// A model folder's own.
        case continuing(String)
        /// Drawn anew for a model folder's settings.
        case fromScratch(String)

        var path: String {
            switch self {
            case .continuing(let path), .fromScratch(let path): path
            }
        }
    }

    package enum Source: Sendable {
        /// Emoji scenes over the sprites of a `sprites.json`, and how often each of their tasks comes.
        case scenes(spritesPath: String, tasks: SceneTaskShares = .standard)
        /// A folder of captioned pictures; see ``CaptionedPictures``.
        case pictures(folder: String, column: String, skipsUnreadable: Bool)

        var tasks: SceneTaskShares? {
            if case .scenes(_, let tasks) = self { tasks } else { nil }
        }
    }

    private let start: Start
    private let source: Source
    private let settings: PretrainingSettings
    private let folder: PretrainingFolder
    /// Of the model's numbers on disk.
    private let type: ScalarType
    private let stepsBetweenSaves: Int
    private let lanes: Int

    package init(
        _ start: Start,
        on source: Source,
        settings: PretrainingSettings,
        in folder: PretrainingFolder,
        writing type: ScalarType,
        stepsBetweenSaves: Int,
        lanes: Int
    ) {
        self.start = start
        self.source = source
        self.settings = settings
        self.folder = folder
        self.type = type
        self.stepsBetweenSaves = stepsBetweenSaves
        self.lanes = lanes
    }

    /// Trains until all updates are made or the process is told to stop.
    ///
    /// SIGTERM and SIGINT let it finish the update in hand and keep its state; a second signal does not.
    /// - Throws: `CancellationError` behind SIGINT, or a second signal.
    package func run() async throws {
        let signals = StopSignals()
        defer { withExtendedLifetime(signals) {} }
        let arrivals = signals.arrivals
        let stop = StopRequest()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let thread = ComputeThread(name: "pretrain")
                try await thread.run { try train(until: { _ in stop.signal != nil }) }
            }
            group.addTask {
                for await number in arrivals where !stop.ask(number) { return }
            }
            try await group.endWithFirst()
        }
        // Outside the group, to which a cancellation is how tasks end.
        if stop.signal == SIGINT || stop.isUrgent { throw CancellationError() }
    }

    /// That somebody wants the training to stop.
    private final class StopRequest: Sendable {
        private let asked = Mutex<(signal: Int32?, isUrgent: Bool)>((nil, false))

        /// The signal that asked first.
        var signal: Int32? { asked.withLock { $0.signal } }
        /// Whether somebody asked again.
        var isUrgent: Bool { asked.withLock { $0.isUrgent } }

        /// False where somebody asked before.
        func ask(_ signal: Int32) -> Bool {
            asked.withLock { asked in
                asked.isUrgent = asked.signal != nil
                asked.signal = asked.signal ?? signal
                return !asked.isUrgent
            }
        }
    }
}

// MARK: - Training

extension Pretraining {
    /// Updates without a finite gradient after which it is no use to go on.
    private static let mostUpdatesLost = 20
    /// Updates over which the loss that is shown is a mean.
    private static let shownUpdates = 50

    /// - Parameter isOver: asked with the number of batches taken, before each update.
    func train(until isOver: (Int) -> Bool) throws {
        let model = try TrainableModel(path: absolutePath(start.path, in: "."))
        guard !"\(model.outline.path)/".hasPrefix("\(folder.path)/") else {
            throw PretrainingError.startInside(model: model.outline.path, out: folder.path)
        }
        var display = ProgressDisplay()
        let pool = LanePool(count: lanes)
        let (weights, origin) = try weights(of: model)
        let pictures = try pictures(for: model, on: pool)
        let record = PretrainingFolder.Settings(
            start: origin.name,
            model: origin.digest,
            pictures: pictures.digest,
            tasks: source.tasks?.values,
            training: settings
        )
        try folder.claim(for: record)
        if case .scenes(let catalog, _) = source { try folder.keepSprites(of: catalog) }
        var trainer = try PretrainingTrainer(model, from: weights, settings: settings, pool: pool)
        let state = try PretrainingState(in: folder, of: record)
        for rejected in try state.restore(&trainer) {
            display.say("the state of step \(rejected.round) is passed over: \(rejected.reason)")
        }
        let first = trainer.stepCount
        let parameters = "\(trainer.parameters.layout.count) parameters"
        display.say(
            first == 0
                ? "training \(parameters) for \(settings.steps) steps of \(settings.batchSize) pictures"
                : "going on with \(parameters) at step \(first) of \(settings.steps)"
        )

        var (losses, lost) = ([Double](), 0)
        let begin = ContinuousClock.now
        while trainer.stepCount < settings.steps, !isOver(trainer.stepCount) {
            let batch = try pictures.batch(
                step: trainer.stepCount,
                count: settings.batchSize,
                seed: settings.seed
            )
            let report = trainer.step(batch.latents, captions: model.tokens(of: batch.captions))
            lost = report.gradientNorm.isFinite ? 0 : lost + 1
            guard lost < Self.mostUpdatesLost else {
                throw PretrainingError.diverged(step: trainer.stepCount, updates: lost)
            }
            losses = losses.suffix(Self.shownUpdates - 1) + [report.loss]
            let done = trainer.stepCount - first
            let seconds = begin.duration(to: .now) / .seconds(1)
            display.show(
                ProgressLine(
                    step: trainer.stepCount,
                    of: settings.steps,
                    loss: losses.reduce(0, +) / Double(losses.count),
                    rate: Double(done * settings.batchSize) / seconds,
                    secondsLeft: Double(settings.steps - trainer.stepCount) * seconds / Double(done)
                ),
                isLast: trainer.stepCount == settings.steps
            )
            if trainer.stepCount.isMultiple(of: stepsBetweenSaves), trainer.stepCount < settings.steps {
                try save(trainer, state, of: model, over: weights)
                try drawSheet(of: pictures)
            }
        }
        display.finish()
        try save(trainer, state, of: model, over: weights)
        guard trainer.stepCount == settings.steps else {
            return display.say("stopped at step \(trainer.stepCount): the same command goes on from there")
        }
        try drawSheet(of: pictures)
        display.say("model     \(folder.model)")
        display.say("samples   \(folder.samples)")
    }

    private func weights(of model: TrainableModel) throws -> (
        weights: Weights, origin: (name: String, digest: ContentDigest)
    ) {
        switch start {
        case .continuing:
            (try model.readWeights(), ("continue", try model.startDigest(withWeights: true)))
        case .fromScratch:
            (
                try model.drawWeights(seed: settings.seed),
                ("from-scratch", try model.startDigest(withWeights: false))
            )
        }
    }

    private func pictures(for model: TrainableModel, on pool: LanePool) throws -> PretrainingPictures {
        switch source {
        case .scenes(let spritesPath, let tasks):
            return try .scenes(spritesPath: spritesPath, tasks: tasks, for: model)
        case .pictures(let pictures, let column, let skipsUnreadable):
            let encoding = try LatentEncoding(
                CaptionedPictures(folder: pictures, column: column),
                model: model.outline,
                skipsUnreadable: skipsUnreadable,
                into: folder.latents
            )
            _ = try encoding.run(on: pool)
            return try .latents(in: folder.latents)
        }
    }

    private func save(
        _ trainer: PretrainingTrainer,
        _ state: PretrainingState,
        of model: TrainableModel,
        over weights: Weights
    ) throws {
        try state.write(trainer)
        try model.write(trainer.averages, over: weights, as: type, to: folder.model)
    }
}

// MARK: - The sheet

extension Pretraining {
    /// How the sheet is drawn: what suits the shipped teacher.
    private static let sheetGuidance: Float = 3

    /// Draws pictures with the model as it is written.
    private func drawSheet(of pictures: PretrainingPictures) throws {
        let sampler = try ModelSampler(modelPath: folder.model, lanes: lanes)
        let decoder = try sampler.makePictureDecoder()
        let rows = try pictures.sheetCaptions()
        let captions = rows.flatMap(\.captions)
        let few = FewStepSampler(
            sampler.teacher,
            schedule: .rectified(stepCount: StudentEvaluation.referenceSteps, shift: sampler.model.shift),
            guidanceScale: Self.sheetGuidance
        )
        var drawn = decoder.pictures(
            sampler.solve(
                few,
                from: sampler.noise(count: captions.count, seed: settings.seed),
                conditional: try sampler.encode(captions),
                unconditional: try sampler.encode([""])
            )
        )[...]
        let scale = max(1, 128 / max(1, drawn.first?.width ?? 1))
        let sheet = ContactSheet(
            rows: rows.map { row in
                defer { drawn = drawn.dropFirst(row.captions.count) }
                return Array(drawn.prefix(row.captions.count))
            },
            rowLabels: rows.count > 1 ? rows.map(\.label) : [],
            // Captions stand above columns, so they fit only a sheet of one row.
            columnCaptions: rows.count == 1 ? captions : [],
            scale: scale
        )
        try writeAtomically(try PNGFile.encode(sheet.picture), to: folder.samples)
    }
}
