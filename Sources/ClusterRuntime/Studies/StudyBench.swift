import DiffusionModels
import Distillation
import Evaluation
import FlowMatching
import ImageFiles
import Tensors

/// What rows' pictures are measured with: one seed's prompts and noise, and the teacher's ends at one guidance.
struct StudyBench: Sendable {
    /// What there is to say of a row's pictures, and some of them.
    struct Finding {
        let row: EvaluationRow
        /// Of the first prompts; nil of a model that draws no pixels.
        let pictures: [Picture]?
    }

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

    /// The teacher's pictures.
    func measure(_ drawing: Study.Drawing) throws -> Finding {
        switch drawing {
        case .sample(let kind, let steps):
            let shift = evaluation.model.model.shift
            let method = method(SigmaSchedule(kind: kind, stepCount: steps, shift: shift))
            return finding(of: method, evaluation.endpoints(of: method))
        case .resume(0, _):
            return finding(of: evaluation.reference, ends)
        case .resume(let step, _):
            let sigmas = evaluation.reference.sampler.schedule.sigmas
            let method = method(try SigmaSchedule.custom(Array(sigmas[step...])))
            let noise = evaluation.model.noise(of: evaluation.samples, seed: seed ^ Self.mixingPurpose)
            let start = ends.noised(with: noise, at: method.sampler.schedule[0])
            return finding(of: method, evaluation.endpoints(of: method, from: start))
        }
    }

    /// A student's pictures.
    ///
    /// - Parameters:
    ///   - path: of the student's file, or a folder that has one.
    ///   - trajectory: of the run that trained it.
    ///   - steps: nil takes those it was trained for.
    func measure(studentAt path: String, _ trajectory: TrajectorySettings, steps: Int?) throws -> Finding {
        let student = try StudentFile.read(path, for: model.model)
        let method = StudentEvaluation.Method(
            name: "student",
            sampler: FewStepSampler(
                student: try model.model.makeTransformer(student: student),
                try StudentFile.sampling(path),
                kind: trajectory.schedule,
                steps: steps ?? trajectory.segments,
                shift: model.model.shift
            )
        )
        return finding(of: method, evaluation.endpoints(of: method))
    }

    private func finding(of method: StudentEvaluation.Method, _ endpoint: Tensor) -> Finding {
        Finding(
            row: evaluation.row(of: method, endpoint, reference: ends),
            pictures: model.drawsPixels ? evaluation.shown(endpoint) : nil
        )
    }

    private func method(_ schedule: SigmaSchedule) -> StudentEvaluation.Method {
        let teacher = evaluation.model.teacher
        return StudentEvaluation.Method(
            name: "teacher-\(schedule.stepCount)",
            sampler: FewStepSampler(teacher, schedule: schedule, guidanceScale: guidance)
        )
    }
}
