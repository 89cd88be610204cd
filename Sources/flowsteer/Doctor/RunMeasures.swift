import Benchmarks
import ClusterRuntime
import DiffusionModels
import Distillation
import Tensors

/// Finds out by trying what a run's formulas need to know of the engine and of this machine.
struct RunMeasures {
    /// One sample.
    private let shape: BenchmarkShape
    private let configuration: RunConfiguration
    private let lanes: Int

    init(_ shape: BenchmarkShape, _ configuration: RunConfiguration, lanes: Int) {
        self.shape = shape
        self.configuration = configuration
        self.lanes = lanes
    }

    func measured() throws -> RunEstimate.Measures {
        let training = configuration.training
        let solved = samplesAtOnce(of: configuration.batchSamples, .inference, evaluations: 2)
        let learned = samplesAtOnce(of: training.batchSize, .training, evaluations: 1)
        let last = try secondsPerStep(.last)
        let isDelayed = configuration.network.critic == .discriminator && training.adversarialStartStep > 0
        return RunEstimate.Measures(
            rolloutActivations: try ActivationMemory.rollout(shape.with(batch: solved)).byteCount,
            trainerActivations: try ActivationMemory.training(
                shape.with(batch: learned),
                network: configuration.network,
                settings: training,
                trajectory: configuration.trajectory
            ).byteCount,
            secondsPerEvaluation: try WorkTime.evaluation(
                shape.with(batch: configuration.batchSamples),
                precision: configuration.trajectory.precision,
                lanes: lanes
            ),
            secondsPerStep: last,
            secondsPerEarlyStep: isDelayed ? try secondsPerStep(.beforeDiscriminator) : last
        )
    }

    private func secondsPerStep(_ stage: TrainingStage) throws -> Double {
        try WorkTime.step(
            shape.with(batch: configuration.training.batchSize),
            network: configuration.network,
            settings: configuration.training,
            trajectory: configuration.trajectory,
            stage: stage,
            lanes: lanes
        )
    }

    /// Samples that one lane takes at once out of a batch, the lanes' pieces being even.
    private func samplesAtOnce(of count: Int, _ load: LaneLoad, evaluations: Int) -> Int {
        let share = count >= lanes ? (count + lanes - 1) / lanes : count
        let most = load.samples(tokens: shape.tokens * evaluations)
        let pieces = (share + most - 1) / most
        return (share + pieces - 1) / pieces
    }
}
