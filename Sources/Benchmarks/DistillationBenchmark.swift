import DiffusionModels
import Distillation
import FlowMatching
import NeuralNetwork
package import Tensors

/// One step of the real trainer, student and discriminator, on random segments.
package struct DistillationBenchmark: Benchmark {
    private var trainer: DistillationTrainer
    private let batch: SegmentBatch
    private var random = RandomStream(key: 4, stream: 0)
    package let cost: BenchmarkCost

    package init(_ shape: BenchmarkShape, precision: Precision, pool: LanePool) throws {
        guard shape.scope == .network else {
            throw BenchmarkError.needsNetwork(benchmark: "a discriminator", shape: shape.name)
        }
        let weights = try shape.randomWeights()
        var network = NetworkSettings()
        network.precision = precision
        network.rank = TrainingBenchmark.adapterRank
        network.targets = TrainingBenchmark.adapterTargets
        network.discriminator.depth = Self.discriminatorDepth(shape)
        let networks = try TrainableNetworks(
            weights: weights,
            shape.configuration,
            network: network,
            seed: 0
        )
        var training = TrainingSettings()
        training.batchSize = shape.batch
        training.places = .start
        trainer = try DistillationTrainer(networks, settings: training, pool: pool)
        batch = Self.segments(shape)
        let trained = networks.segments.reduce(0) { $0 + $1.parameters.layout.count }
        cost = BenchmarkCost(
            operations: shape.distillationOperations(
                try StepEvaluations(network: network, settings: training),
                network: network
            ),
            weightBytes: weights.byteCount + 4 * trained,
            yield: Double(shape.batch),
            of: "samples"
        )
    }

    package mutating func run() { _ = trainer.step(batch, random: &random) }

    /// A third of the blocks, as in the emoji preset.
    package static func discriminatorDepth(_ shape: BenchmarkShape) -> Int {
        max(1, shape.configuration.layerCount / 3)
    }

    /// Random states at the edges of a grid's segments, the segments in turn.
    static func segments(_ shape: BenchmarkShape) -> SegmentBatch {
        let inputs = BenchmarkInputs(shape)
        let grid = SegmentGrid(kind: .rectified, segmentCount: 4, stepsPerSegment: 1, shift: 3)
        let segments = (0..<shape.batch).map { $0 % grid.segmentCount }
        return SegmentBatch(
            starts: inputs.picture,
            ends: inputs.picture.scaled(by: 0.9),
            startSigmas: segments.map(grid.start(of:)),
            endSigmas: segments.map(grid.end(of:)),
            text: inputs.text,
            noise: inputs.picture
        )
    }
}
