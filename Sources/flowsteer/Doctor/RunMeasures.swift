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
        let depth = min(configuration.network.discriminator.depth, shape.configuration.layerCount)
        let solved = samplesAtOnce(of: configuration.batchSamples, .inference, evaluations: 2)
        let learned = samplesAtOnce(of: training.batchSize, .training, evaluations: 1)
        return RunEstimate.Measures(
            rolloutActivations: try ActivationMemory.rollout(shape.with(batch: solved)).byteCount,
            trainerActivations: try trainerActivations(shape.with(batch: learned)),
            evaluationOperations: shape.forwardOperations,
            stepOperations: shape.with(batch: training.batchSize).distillationOperations(
                depth: depth,
                student: configuration.network.student
            ),
            rolloutSpeed: try speed(configuration.trajectory.precision),
            trainerSpeed: try speed(configuration.network.precision)
        )
    }

    /// Bytes of a step's activations.
    ///
    /// What is asked of a network without learning from it, the guided teacher foremost, has a tape beside the one that
    /// records; it is measured as in a rollout. What is recorded is as much as in FlowSteer where there is a
    /// discriminator, else as in ReFlow.
    private func trainerActivations(_ shape: BenchmarkShape) throws -> Int {
        var settings = configuration.training
        let asks: Bool
        switch settings.method {
        case .perflow, .reflow: asks = false
        case .flowsteer, .ladd:
            asks = settings.states == .rollout
            settings.method = .flowsteer
        case .pcm, .hyperSD, .flash:
            asks = true
            settings.method = .flowsteer
        case .consistency, .dmd:
            asks = true
            settings.method = .reflow
        }
        settings.states = .segment
        let recorded = try ActivationMemory.training(
            shape,
            network: configuration.network,
            settings: settings
        ).byteCount
        return recorded + (asks ? try ActivationMemory.rollout(shape).byteCount : 0)
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
