import DiffusionModels
import Distillation
import FlowMatching
import NeuralNetwork
import Tensors
import TestSupport

/// The shipped teacher with a small student, and a few of its own trajectories.
struct DistillationFixture {
    let folder: ModelFolder
    let samples: [PromptSample]
    let text: EncodedText
    let unconditional: EncodedText
    let alignment: OnlineTrajectoryAlignment

    /// Trajectories as a method has them.
    init(_ method: Method) throws {
        try self.init { trajectory in
            var (network, training) = (NetworkSettings(), TrainingSettings())
            method.applyDefaults(trajectory: &trajectory, network: &network, training: &training)
            trajectory.guidance = 2...4
        }
    }

    init(_ change: (inout TrajectorySettings) -> Void = { _ in }) throws {
        folder = try ModelFolder(path: Repository.teacher)
        samples = ["a cookie", "two carrots", "a cat and a pizza"].enumerated().map {
            PromptSample(promptID: UInt64($0), sample: 0, text: $1)
        }
        text = try folder.text.encode(samples.map(\.text), on: Tape())
        unconditional = try folder.text.encode([""], on: Tape())
        var settings = TrajectorySettings()
        settings.stepsPerSegment = 2
        settings.guidance = 2...4
        change(&settings)
        alignment = OnlineTrajectoryAlignment(
            settings,
            segmentProbabilities: [0.4, 0.2, 0.2, 0.2],
            shift: folder.shift,
            seed: 21
        )
    }

    func rollOut(lanes: Int = 1, precision: Precision = .float32) throws -> TrajectoryBatch {
        alignment.rollOut(
            samples,
            conditional: text,
            unconditional: unconditional,
            teacher: try folder.makeTransformer(precision: precision),
            latentShape: Array(folder.latentShape(count: 1).dropFirst()),
            pool: LanePool(count: lanes)
        )
    }

    /// A pool of one batch of trajectories.
    func makePool(_ batch: TrajectoryBatch, uses: Int = 4) -> TrajectoryPool {
        var pool = TrajectoryPool(
            grid: alignment.grid,
            segmentProbabilities: alignment.segmentProbabilities,
            usesPerSample: uses
        )
        pool.add(batch, id: 7, text: text, spans: alignment.spans(for: samples))
        return pool
    }

    func makeTrainer(
        _ method: Method = .flowsteer,
        lanes: Int = 1,
        recomputing: Bool = false,
        network networkChange: ((inout NetworkSettings) -> Void)? = nil,
        training trainingChange: ((inout TrainingSettings) -> Void)? = nil
    ) throws -> DistillationTrainer {
        var network = NetworkSettings()
        var settings = TrainingSettings()
        var trajectory = TrajectorySettings()
        method.applyDefaults(trajectory: &trajectory, network: &network, training: &settings)
        network.rank = 4
        network.discriminator.depth = 2
        network.discriminator.rank = 4
        network.recomputesBlocks = recomputing
        networkChange?(&network)
        settings.optimizer.learningRate = 1e-3
        settings.discriminatorOptimizer.learningRate = 1e-3
        trainingChange?(&settings)
        let networks = try TrainableNetworks(teacher: folder, network: network, seed: 3)
        let teaching = Teaching(
            teacher: networks.teacher,
            unconditional: unconditional,
            grid: SegmentGrid(
                kind: alignment.settings.schedule,
                segmentCount: alignment.settings.segments,
                stepsPerSegment: alignment.settings.stepsPerSegment,
                shift: folder.shift
            ),
            shift: TimeShift(factor: folder.shift),
            guidance: alignment.settings.guidance
        )
        return try DistillationTrainer(
            networks,
            settings: settings,
            teaching: teaching,
            pool: LanePool(count: lanes)
        )
    }
}
