import DiffusionModels
package import Distillation
import Tensors

/// What a lane's arena holds at most.
///
/// The real code is run, and its arena asked. A network that is too large for that is shrunk: every activation is samples ×
/// tokens × features, or smaller, so with as large a part of the tokens as of the features, in picture, text and adapters
/// alike, an arena is fullest at the same place, and what it holds goes with the square of the part, but for what tokens or
/// features take by themselves, and what workspaces take. Three widths tell all. Blocks are as many as the real ones: which
/// place is the fullest depends on their number.
package struct ActivationMemory: Sendable, Equatable {
    /// Operations of one forward of what is tried, at most, where three heads do with them.
    package static let operationLimit = 2e10

    /// Bytes of one lane.
    package let byteCount: Int

    /// Of a rollout that solves `shape.batch` guided samples at once.
    package static func rollout(_ shape: BenchmarkShape, operationLimit: Double = operationLimit) throws
        -> ActivationMemory
    {
        try extended(shape, operationLimit) { tried in
            let pool = LanePool(count: 1)
            // Every evaluation resets the arena: one run has enough of them to settle it.
            try RolloutBenchmark(tried, stepCount: 4, precision: .float32, pool: pool).run()
            return pool.lanes[0].tape.arena.peakCount
        }
    }

    /// Of a distillation step in its method's last stage, with its critic, that takes `shape.batch` samples through at
    /// once; what is asked of a network without learning from it has an arena beside the one that records.
    package static func training(
        _ shape: BenchmarkShape,
        network: NetworkSettings,
        settings: TrainingSettings,
        trajectory: TrajectorySettings = TrajectorySettings(),
        operationLimit: Double = operationLimit
    ) throws -> ActivationMemory {
        try extended(shape, operationLimit) { tried in
            let (heads, all) = (tried.configuration.headCount, shape.configuration.headCount)
            func part(of rank: Int) -> Int { max(1, (2 * rank * heads + all) / (2 * all)) }
            var network = network
            network.rank = part(of: network.rank)
            network.discriminator.rank = part(of: network.discriminator.rank)
            var trial = try DistillationTrial(
                tried,
                network: network,
                settings: settings,
                trajectory: trajectory
            )
            return trial.peakCount()
        }
    }

    /// What `peak` says of a shape or, where that is too large, of three that are shrunk.
    private static func extended(
        _ shape: BenchmarkShape,
        _ operationLimit: Double,
        _ peak: (BenchmarkShape) throws -> Int
    ) rethrows -> ActivationMemory {
        let all = shape.configuration.headCount
        guard shape.forwardOperations > operationLimit, all > 3 else {
            return ActivationMemory(floats: Double(try peak(shape)))
        }
        var heads = all - 1
        while heads > 3, shape.shrunk(heads: heads).forwardOperations > operationLimit { heads -= 1 }
        let peaks = try (heads - 2...heads).map { heads in
            let tried = shape.shrunk(heads: heads)
            // Tokens are whole.
            let part = Double(heads) / Double(all)
            return Double(try peak(tried)) * part * Double(shape.tokens) / Double(tried.tokens)
        }
        // The parabola through them.
        let first = peaks[1] - peaks[0]
        let second = peaks[2] - 2 * peaks[1] + peaks[0]
        let steps = Double(all - heads + 2)
        return ActivationMemory(floats: peaks[0] + steps * first + steps * (steps - 1) / 2 * second)
    }

    private init(floats: Double) { byteCount = Int(floats.rounded()) * MemoryLayout<Float>.stride }
}
