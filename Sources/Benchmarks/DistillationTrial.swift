import DiffusionModels
import Distillation
import FlowMatching
import Tensors

/// The real trainer of a method on random segments.
struct DistillationTrial {
    private var trainer: DistillationTrainer
    private let pool = LanePool(count: 1)
    private let batch: SegmentBatch
    private var random = RandomStream(key: 4, stream: 0)
    /// Updates until the student has its next turn.
    private let turns: Int

    /// - Parameter isLastStage: it begins where all that the method has takes part, instead of at the first update.
    init(
        _ shape: BenchmarkShape,
        network: NetworkSettings,
        settings: TrainingSettings,
        trajectory: TrajectorySettings,
        isLastStage: Bool = true
    ) throws {
        var (network, settings) = (network, settings)
        network.initialAdaptersPath = nil
        if isLastStage {
            settings.adversarialStartStep = 0
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
