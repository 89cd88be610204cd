import Benchmarks
import ClusterRuntime
import DiffusionModels
import Distillation
import Tensors

/// Finds out by trying what a run's formulas need to know of the engine and of this machine.
struct RunMeasures {
    /// What real work gets of the fastest product, which `flowsteer benchmark` prints as a share of peak.
    private static let shareOfPeak = 0.75

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
        return RunEstimate.Measures(
            rolloutActivations: try ActivationMemory.rollout(shape.with(batch: solved)).byteCount,
            trainerActivations: try ActivationMemory.training(
                shape.with(batch: learned),
                network: configuration.network,
                settings: training,
                trajectory: configuration.trajectory
            ).byteCount,
            evaluationOperations: shape.forwardOperations,
            stepOperations: shape.with(batch: training.batchSize).distillationOperations(
                try StepEvaluations(
                    network: configuration.network,
                    settings: training,
                    trajectory: configuration.trajectory
                ),
                network: configuration.network
            ),
            rolloutSpeed: try speed(configuration.trajectory.precision),
            trainerSpeed: try speed(configuration.network.precision)
        )
    }

    /// Samples that one lane takes at once out of a batch, the lanes' pieces being even.
    private func samplesAtOnce(of count: Int, _ load: LaneLoad, evaluations: Int) -> Int {
        let share = count >= lanes ? (count + lanes - 1) / lanes : count
        let most = load.samples(tokens: shape.tokens * evaluations)
        let pieces = (share + most - 1) / most
        return (share + pieces - 1) / pieces
    }

    private func speed(_ precision: Precision) throws -> Double {
        try MachinePeak.measured(precision: precision).operationsPerSecond * Double(lanes) * Self.shareOfPeak
    }
}
