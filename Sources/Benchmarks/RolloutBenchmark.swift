import DiffusionModels
import Distillation
package import Tensors

/// The teacher's guided trajectories of a batch of prompts, as a rollout worker makes them.
package struct RolloutBenchmark: Benchmark {
    private static let segments = 4

    private let alignment: OnlineTrajectoryAlignment
    private let teacher: VelocityTransformer
    private let samples: [PromptSample]
    private let conditional: EncodedText
    private let unconditional: EncodedText
    private let latentShape: [Int]
    private let pool: LanePool
    package let cost: BenchmarkCost

    /// - Parameter stepCount: of the teacher's solver, a multiple of 4, the student's steps.
    package init(_ shape: BenchmarkShape, stepCount: Int, precision: Precision, pool: LanePool) throws {
        precondition(
            stepCount >= Self.segments && stepCount % Self.segments == 0,
            "steps fall evenly into \(Self.segments) segments, got \(stepCount)"
        )
        guard shape.scope == .network else {
            throw BenchmarkError.needsNetwork(benchmark: "a rollout", shape: shape.name)
        }
        let weights = try shape.randomWeights().packed(precision)
        teacher = try VelocityTransformer(shape.configuration, from: weights)
        var settings = TrajectorySettings()
        settings.segments = Self.segments
        settings.stepsPerSegment = stepCount / Self.segments
        settings.guidance = 2.75...3.25
        alignment = OnlineTrajectoryAlignment(
            settings,
            segmentProbabilities: [Float](repeating: 0.25, count: Self.segments),
            shift: 3,
            seed: 0
        )
        samples = (0..<shape.batch).map { PromptSample(promptID: UInt64($0), sample: 0, text: "") }
        conditional = BenchmarkInputs(shape).text
        unconditional = BenchmarkInputs(shape.with(batch: 1), seed: 5).text
        latentShape = shape.latentShape
        self.pool = pool
        cost = BenchmarkCost(
            operations: 2 * Double(stepCount) * shape.forwardOperations,
            weightBytes: weights.byteCount,
            yield: Double(shape.batch),
            of: "trajectories"
        )
    }

    package func run() {
        _ = alignment.rollOut(
            samples,
            conditional: conditional,
            unconditional: unconditional,
            teacher: teacher,
            latentShape: latentShape,
            pool: pool
        )
    }
}
