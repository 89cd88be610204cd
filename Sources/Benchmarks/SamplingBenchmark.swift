import DiffusionModels
import Distillation
import FlowMatching
package import Tensors

/// Latents drawn in a few steps without guidance, as a student draws them; texts are encoded beforehand.
package struct SamplingBenchmark: Benchmark {
    private let sampler: FewStepSampler
    private let noise: Tensor
    private let text: EncodedText
    private let pool: LanePool
    package let cost: BenchmarkCost

    package init(_ shape: BenchmarkShape, stepCount: Int, precision: Precision, pool: LanePool) throws {
        guard shape.scope == .network else {
            throw BenchmarkError.needsNetwork(benchmark: "sampling", shape: shape.name)
        }
        let weights = try shape.randomWeights().packed(precision)
        sampler = FewStepSampler(
            try VelocityTransformer(shape.configuration, from: weights),
            schedule: .rectified(stepCount: stepCount, shift: 3),
            guidanceScale: 1
        )
        let inputs = BenchmarkInputs(shape)
        noise = inputs.picture
        text = inputs.text
        self.pool = pool
        cost = BenchmarkCost(
            operations: Double(stepCount) * shape.forwardOperations,
            weightBytes: weights.byteCount,
            yield: Double(shape.batch),
            of: "pictures"
        )
    }

    package func run() {
        // Without guidance nobody reads the unconditional text.
        _ = sampler.sample(from: noise, conditional: text, unconditional: text.rows(0..<1), pool: pool)
    }
}
