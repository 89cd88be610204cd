import DiffusionModels
import Distillation
import Tensors
import Testing

@testable import Benchmarks

/// What small networks tell of the memory of larger ones, against what those take.
@Suite struct ActivationMemoryTests {
    /// Eight heads, of which ``operationLimit`` lets five be tried.
    private func shape(dual: Set<Int> = []) -> BenchmarkShape {
        let configuration = TransformerConfiguration(
            sampleSize: 32,
            patchSize: 2,
            inChannels: 4,
            outChannels: 4,
            layerCount: 6,
            headCount: 8,
            headWidth: 16,
            jointAttentionWidth: 192,
            pooledProjectionWidth: 96,
            positionTableSize: 16,
            normalizesQueriesAndKeys: !dual.isEmpty,
            dualAttentionLayers: dual
        )
        return BenchmarkShape(
            configuration,
            extent: LatentExtent(rows: 32, columns: 32),
            textTokens: 44,
            batch: 1
        )
    }

    private static let operationLimit = 4e8

    /// Bytes that the arena of one lane handed out at most.
    private func peak(_ pool: LanePool) -> Double { 4 * Double(pool.lanes[0].tape.arena.peakCount) }

    @Test(arguments: [([], false), ([], true), ([0, 1, 2, 3], false)] as [(Set<Int>, Bool)])
    func `a distillation step takes what was told before, within 10 %`(
        _ example: (dual: Set<Int>, recomputes: Bool)
    ) throws {
        let shape = shape(dual: example.dual)
        var network = NetworkSettings()
        network.rank = 8
        network.discriminator.depth = 3
        network.recomputesBlocks = example.recomputes
        let told = try ActivationMemory.training(
            shape,
            network: network,
            settings: TrainingSettings(),
            operationLimit: Self.operationLimit
        )
        let networks = try TrainableNetworks(
            weights: shape.randomWeights(),
            shape.configuration,
            network: network,
            seed: 0
        )
        let pool = LanePool(count: 1)
        var trainer = try DistillationTrainer(networks, settings: TrainingSettings(), pool: pool)
        var random = RandomStream(key: 1, stream: 0)
        for _ in 0..<2 { _ = trainer.step(DistillationBenchmark.segments(shape), random: &random) }
        #expect(abs(Double(told.byteCount) / peak(pool) - 1) < 0.1)
    }

    @Test(arguments: Method.allCases)
    func `a step of every method takes what was told before, within 10 %`(method: Method) throws {
        let shape = shape()
        var (network, settings) = (NetworkSettings(), TrainingSettings())
        var trajectory = TrajectorySettings()
        method.applyDefaults(trajectory: &trajectory, network: &network, training: &settings)
        network.rank = 8
        network.discriminator.depth = 3
        let told = try ActivationMemory.training(
            shape,
            network: network,
            settings: settings,
            trajectory: trajectory,
            operationLimit: Self.operationLimit
        )
        var trial = try DistillationTrial(
            shape,
            network: network,
            settings: settings,
            trajectory: trajectory
        )
        #expect(abs(Double(told.byteCount) / (4 * Double(trial.peakCount())) - 1) < 0.1)
    }

    @Test func `a rollout takes what was told before, within 10 %`() throws {
        let told = try ActivationMemory.rollout(shape(), operationLimit: Self.operationLimit)
        let pool = LanePool(count: 1)
        let benchmark = try RolloutBenchmark(shape(), stepCount: 4, precision: .float32, pool: pool)
        for _ in 0..<2 { benchmark.run() }
        #expect(abs(Double(told.byteCount) / peak(pool) - 1) < 0.1)
    }
}
