import DiffusionModels
import Distillation
import FlowMatching
import Tensors

/// What of a method takes part in an update.
package enum TrainingStage: Sendable {
    /// Before the settings' `adversarialStartStep`.
    case beforeDiscriminator
    /// Where all that the method has takes part.
    case last
    /// From the first update on, as the settings say.
    case whole
}

/// The real trainer of a method on random segments.
struct DistillationTrial {
    private var trainer: DistillationTrainer
    private let pool: LanePool
    private let batch: SegmentBatch
    private var random = RandomStream(key: 4, stream: 0)
    /// Updates until the student has its next turn.
    let turns: Int

    init(
        _ shape: BenchmarkShape,
        network: NetworkSettings,
        settings: TrainingSettings,
        trajectory: TrajectorySettings,
        stage: TrainingStage = .last,
        lanes: Int = 1
    ) throws {
        pool = LanePool(count: lanes)
        var (network, settings) = (network, settings)
        network.initialAdaptersPath = nil
        if stage != .whole {
            settings.adversarialStartStep = stage == .last ? 0 : .max
            settings.stageSteps = 0
        }
        let networks = try TrainableNetworks(
            weights: shape.randomWeights(),
            shape.configuration,
            network: network,
            seed: 0
        )
        turns = network.critic == .velocity ? settings.criticSteps : 1
        batch = DistillationBenchmark.segments(shape)
        let shift = 3.0
        let teaching = Teaching(
            teacher: networks.teacher,
            unconditional: batch.text.rows(0..<1),
            grid: SegmentGrid(
                kind: trajectory.schedule,
                segmentCount: trajectory.segments,
                stepsPerSegment: trajectory.stepsPerSegment,
                shift: shift
            ),
            shift: TimeShift(factor: shift),
            guidance: trajectory.guidance
        )
        trainer = try DistillationTrainer(networks, settings: settings, teaching: teaching, pool: pool)
    }

    /// One update.
    mutating func step() -> StepReport { trainer.step(batch, random: &random) }

    /// Numbers that the lane's arenas hand out at most.
    ///
    /// An arena knows them once all that takes turns has had its second: what outgrew it before was not in one piece.
    mutating func peakCount() -> Int {
        for _ in 0...turns { _ = step() }
        let lane = pool.lanes[0]
        return lane.tape.arena.peakCount + lane.inference.arena.peakCount
    }
}

extension DistillationTrial {
    /// A network of no size and one sample: to count what is asked, not to time it.
    init(
        counting network: NetworkSettings,
        settings: TrainingSettings,
        trajectory: TrajectorySettings,
        stage: TrainingStage
    ) throws {
        var network = network
        network.discriminator.depth = 1
        network.rank = 1
        try self.init(
            Self.least,
            network: network,
            settings: settings,
            trajectory: trajectory,
            stage: stage
        )
    }

    private static let least = BenchmarkShape(
        TransformerConfiguration(
            sampleSize: 2,
            patchSize: 2,
            inChannels: 1,
            outChannels: 1,
            layerCount: 2,
            headCount: 1,
            headWidth: 8,
            jointAttentionWidth: 4,
            pooledProjectionWidth: 4,
            positionTableSize: 2,
            normalizesQueriesAndKeys: false,
            dualAttentionLayers: []
        ),
        extent: LatentExtent(rows: 2, columns: 2),
        textTokens: 1,
        batch: 1
    )
}
