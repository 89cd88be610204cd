import DiffusionModels
import Distillation
import Evaluation
import FlowMatching
package import Tensors

/// How far a guided trajectory of the teacher drifts when the products with its weights are rounded.
///
/// Both solves start from the same noise and take the same steps; latents, norms, softmax and guidance are
/// single precision in both.
package struct PrecisionComparison: Codable, Sendable, Equatable {
    /// Of the rounded products.
    package let precision: Precision
    /// Steps of both solves.
    package let steps: Int
    /// The guidance scale of both, diffusers' convention.
    package let guidance: Float
    /// ‖x − y‖ / ‖y‖ of the endpoints, one a prompt: x rounded, y in single precision.
    package let relativeDifferences: [Double]
    /// √(mean (x − y)²) of the endpoints, one a prompt, in units of model space.
    package let distances: [Double]

    /// Solves one trajectory a prompt twice.
    package init(
        of model: ModelSampler,
        precision: Precision,
        prompts: [String],
        steps: Int,
        guidance: Float,
        seed: UInt64
    ) throws {
        let schedule = SigmaSchedule(kind: .rectified, stepCount: steps, shift: model.model.shift)
        let conditional = try model.encode(prompts)
        let unconditional = try model.encode([""])
        let noise = model.noise(count: prompts.count, seed: seed)
        func endpoints(of teacher: VelocityTransformer) -> Tensor {
            model.solve(
                FewStepSampler(teacher, schedule: schedule, guidanceScale: guidance),
                from: noise,
                conditional: conditional,
                unconditional: unconditional
            )
        }
        let exact = endpoints(of: model.teacher)
        let rounded = endpoints(of: try model.model.makeTransformer(precision: precision))
        let distances = PairedDistance.perSample(rounded, exact)
        let norms = PairedDistance.perSample(exact, .zeros(exact.shape))
        self.precision = precision
        self.steps = steps
        self.guidance = guidance
        self.distances = distances
        relativeDifferences = zip(distances, norms).map { $0 / $1 }
    }
}
