import DiffusionModels
import Distillation
import Evaluation
import FlowMatching
import Tensors

/// What rows that need no training are measured with: one seed's prompts and noise, and the teacher's ends at one
/// guidance.
struct TeacherBench: Sendable {
    /// Sets the noise that clean pictures are mixed with apart from the one they came from.
    private static let mixingPurpose: UInt64 = 0x6D69_7869_6E67

    let seed: UInt64
    let guidance: Float
    var model: ModelSampler { evaluation.model }
    private let evaluation: StudentEvaluation
    private let ends: Tensor

    /// Solves for the teacher's ends.
    ///
    /// - Parameter configuration: its seed is the bench's.
    init(_ model: ModelSampler, configuration: RunConfiguration, guidance: Float) throws {
        seed = configuration.seed
        self.guidance = guidance
        let prompts = try HeldOutPrompts.prompts(of: configuration)
        evaluation = try StudentEvaluation(
            model,
            methods: [],
            prompts: prompts,
            judge: try HeldOutPrompts.judge(prompts, spritesPath: configuration.spritesPath, for: model),
            guidance: guidance,
            negativePrompt: configuration.trajectory.negativePrompt,
            seed: seed
        )
        ends = evaluation.endpoints(of: evaluation.reference)
    }

    /// What there is to say of the pictures.
    func measure(_ drawing: Study.Drawing) throws -> EvaluationRow {
        switch drawing {
        case .sample(let kind, let steps):
            let shift = evaluation.model.model.shift
            let method = method(SigmaSchedule(kind: kind, stepCount: steps, shift: shift))
            return evaluation.row(of: method, evaluation.endpoints(of: method), reference: ends)
        case .resume(0, _):
            return evaluation.row(of: evaluation.reference, ends, reference: ends)
        case .resume(let step, _):
            let sigmas = evaluation.reference.sampler.schedule.sigmas
            let method = method(try SigmaSchedule.custom(Array(sigmas[step...])))
            let noise = evaluation.model.noise(of: evaluation.samples, seed: seed ^ Self.mixingPurpose)
            let start = ends.noised(with: noise, at: method.sampler.schedule[0])
            return evaluation.row(
                of: method,
                evaluation.endpoints(of: method, from: start),
                reference: ends
            )
        }
    }

    private func method(_ schedule: SigmaSchedule) -> StudentEvaluation.Method {
        let teacher = evaluation.model.teacher
        return StudentEvaluation.Method(
            name: "teacher-\(schedule.stepCount)",
            sampler: FewStepSampler(teacher, schedule: schedule, guidanceScale: guidance)
        )
    }
}
