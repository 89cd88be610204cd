import DiffusionModels
package import Distillation
import Tensors

/// What a lane's arena holds at most, of a network too large to try.
///
/// Every activation is samples × tokens × features, or smaller, so an arena's peak is linear in the number of blocks of
/// each kind and quadratic, at most, in the number of heads of a fixed width. The real code is run over networks of two
/// to five blocks and one to three heads, with the tokens of the real one, and what its arena handed out is carried on
/// to the real size.
package struct ActivationMemory: Sendable, Equatable {
    /// A network's depth: blocks of the transformer, those of them with a second attention, blocks of the discriminator.
    private struct Depth {
        var blocks: Int
        var dual: Set<Int> = []
        var discriminator: Int
    }

    /// Bytes of one lane.
    package let byteCount: Int

    /// Of a rollout that solves `shape.batch` guided samples at once.
    package static func rollout(_ shape: BenchmarkShape) throws -> ActivationMemory {
        try extended(shape, discriminatorDepth: 0) { small, _ in
            let pool = LanePool(count: 1)
            let benchmark = try RolloutBenchmark(small, stepCount: 4, precision: .float32, pool: pool)
            for _ in 0..<2 { benchmark.run() }
            return pool.lanes[0].tape.arena.peakCount
        }
    }

    /// Of a distillation step in its method's last stage, with its critic, that takes `shape.batch` samples through at
    /// once; what is asked of a network without learning from it has an arena beside the one that records.
    package static func training(
        _ shape: BenchmarkShape,
        network: NetworkSettings,
        settings: TrainingSettings,
        trajectory: TrajectorySettings = TrajectorySettings()
    ) throws -> ActivationMemory {
        let depth =
            network.critic == .discriminator
            ? min(network.discriminator.depth, shape.configuration.layerCount) : 0
        return try extended(shape, discriminatorDepth: depth) { small, discriminatorDepth in
            var network = network
            network.discriminator.depth = discriminatorDepth
            var trial = try DistillationTrial(
                small,
                network: network,
                settings: settings,
                trajectory: trajectory
            )
            return trial.peakCount()
        }
    }

    // MARK: From small networks to large ones

    private static func extended(
        _ shape: BenchmarkShape,
        discriminatorDepth: Int,
        _ peak: (BenchmarkShape, Int) throws -> Int
    ) throws -> ActivationMemory {
        let large = Depth(
            blocks: shape.configuration.layerCount,
            dual: shape.configuration.dualAttentionLayers,
            discriminator: discriminatorDepth
        )
        let peaks = try (1...3).map { heads in
            try peakOfDepth(large, of: shape, heads: heads, peak)
        }
        // The parabola through one, two and three heads.
        let second = (peaks[2] - 2 * peaks[1] + peaks[0]) / 2
        let first = peaks[1] - peaks[0] - 3 * second
        let heads = Double(shape.configuration.headCount)
        let floats = peaks[0] - first - second + first * heads + second * heads * heads
        return ActivationMemory(byteCount: Int(floats.rounded()) * MemoryLayout<Float>.stride)
    }

    /// The peak of a network as deep as the large one and as narrow as `heads` say, from networks of few blocks.
    private static func peakOfDepth(
        _ large: Depth,
        of shape: BenchmarkShape,
        heads: Int,
        _ peak: (BenchmarkShape, Int) throws -> Int
    ) throws -> Double {
        func peakOf(_ depth: Depth) throws -> Double {
            let small = shape.with(heads: heads, layers: depth.blocks, dualLayers: depth.dual)
            return Double(try peak(small, depth.discriminator))
        }
        let hasDiscriminator = large.discriminator > 0
        let least = Depth(blocks: 3, discriminator: hasDiscriminator ? 2 : 0)
        var deeper = least
        deeper.blocks += 1
        let base = try peakOf(least)
        let plain = try peakOf(deeper)
        var floats = base + (plain - base) * Double(large.blocks - least.blocks)
        // The first blocks are the discriminator's too.
        for (dual, count) in [
            (0, large.dual.count { $0 < large.discriminator }),
            (2, large.dual.count { $0 >= large.discriminator }),
        ] where count > 0 {
            var doubled = deeper
            doubled.dual = [dual]
            floats += (try peakOf(doubled) - plain) * Double(count)
        }
        if hasDiscriminator {
            var judging = deeper
            judging.discriminator += 1
            floats += (try peakOf(judging) - plain) * Double(large.discriminator - least.discriminator)
        }
        return floats
    }
}
