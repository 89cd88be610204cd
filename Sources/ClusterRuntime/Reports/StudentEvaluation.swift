package import DiffusionModels
package import Distillation
package import Evaluation
package import FlowMatching
package import ImageFiles
import NeuralNetwork
package import Tensors

/// How far few-step samplers end from the teacher's own many guided steps, on fixed prompts and noise, and what
/// their pictures are worth.
///
/// Which samplers are compared is a value, ``methods``; whoever runs them one by one can tell people where it
/// stands.
package struct StudentEvaluation: Sendable {
    /// A sampler under a name.
    package struct Method: Sendable {
        package let name: String
        package let sampler: FewStepSampler
    }

    /// Sets the noise of evaluations apart from that of training.
    static let noisePurpose: UInt64 = 0x6576_616C_7561_7465
    /// Prompts that are drawn from several noises, to see how much their pictures differ.
    private static let variedPrompts = 12
    /// Noises of each of those prompts.
    private static let variations = 4
    /// Columns of a sheet; twice the six kinds of scene.
    private static let columnCount = 12

    /// What all are compared with: the teacher on the fine rectified grid, guided.
    package let reference: Method
    package let methods: [Method]
    let model: ModelSampler
    private let prompts: [String]
    /// Steps of the teacher whose endpoints are the measure, however many it takes in training.
    static let referenceSteps = 32
    private let judge: SceneJudge?
    /// Prompt and number of every sample: the first of all prompts, then the second, third … of some.
    let samples: [(prompt: Int, number: Int)]
    private let conditional: EncodedText
    private let unconditional: EncodedText
    private let noise: Tensor

    /// Prepares an evaluation.
    ///
    /// - Parameters:
    ///   - student: the trained network; nil measures only what needs no training.
    ///   - initial: the student before its training where that is not the teacher.
    ///   - judge: scores pictures of the prompts, where these are captions of scenes.
    ///   - segments: K, the steps of the student and of the teacher it is compared with.
    ///   - schedule: the student's own kind.
    ///   - sampling: the student's own way; before its training it goes Euler's, without guidance.
    ///   - guidance: the teacher's scale.
    package init(
        _ model: ModelSampler,
        student: VelocityTransformer?,
        initial: VelocityTransformer? = nil,
        prompts: [String],
        judge: SceneJudge? = nil,
        segments: Int = 4,
        schedule: ScheduleKind = .rectified,
        sampling: StudentSampling = StudentSampling(),
        guidance: Float,
        negativePrompt: String = "",
        seed: UInt64
    ) throws {
        let teacher = model.teacher
        let shift = model.model.shift
        func method(
            _ name: String,
            _ network: VelocityTransformer,
            _ kind: ScheduleKind,
            steps: Int = segments,
            guidance: Float = 1
        ) -> Method {
            let schedule = SigmaSchedule(kind: kind, stepCount: steps, shift: shift)
            return Method(
                name: name,
                sampler: FewStepSampler(network, schedule: schedule, guidanceScale: guidance)
            )
        }
        // A student that began with no adapters was the teacher, bit for bit, so the teacher stands in for it.
        let methods =
            [
                method("teacher-\(segments)-stock", teacher, .stock, guidance: guidance),
                method("teacher-\(segments)-rectified", teacher, .rectified, guidance: guidance),
                method("student-initial", initial ?? teacher, schedule),
            ]
            + (student.map { student in
                let own = FewStepSampler(
                    student: student,
                    sampling,
                    kind: schedule,
                    steps: segments,
                    shift: shift
                )
                return [Method(name: "student", sampler: own)]
            } ?? [])
        try self.init(
            model,
            methods: methods,
            prompts: prompts,
            judge: judge,
            guidance: guidance,
            negativePrompt: negativePrompt,
            seed: seed
        )
    }

    /// Prepares an evaluation of any samplers.
    ///
    /// - Parameters:
    ///   - judge: scores pictures of the prompts, where these are captions of scenes.
    ///   - guidance: the scale of the teacher that all are compared with.
    init(
        _ model: ModelSampler,
        methods: [Method],
        prompts: [String],
        judge: SceneJudge?,
        guidance: Float,
        negativePrompt: String,
        seed: UInt64
    ) throws {
        let steps = Self.referenceSteps
        reference = Method(
            name: "teacher-\(steps)",
            sampler: FewStepSampler(
                model.teacher,
                schedule: .rectified(stepCount: steps, shift: model.model.shift),
                guidanceScale: guidance
            )
        )
        self.methods = methods
        self.model = model
        self.prompts = prompts
        self.judge = judge
        let varied = min(Self.variedPrompts, prompts.count)
        samples =
            prompts.indices.map { (prompt: $0, number: 0) }
            + (1..<Self.variations).flatMap { number in (0..<varied).map { (prompt: $0, number: number) } }
        conditional = try model.encode(prompts).selecting(samples.map { $0.prompt })
        unconditional = try model.encode([negativePrompt])
        noise = model.noise(of: samples, seed: seed ^ Self.noisePurpose)
    }

    /// The latents a method ends at: a sample of every prompt, then more of some.
    package func endpoints(of method: Method) -> Tensor { endpoints(of: method, from: noise) }

    /// The latents a method ends at from given states of the samples.
    func endpoints(of method: Method, from states: Tensor) -> Tensor {
        model.solve(method.sampler, from: states, conditional: conditional, unconditional: unconditional)
    }

    /// One row a method, the reference's first.
    ///
    /// - Parameters:
    ///   - endpoints: of ``methods``, in order.
    ///   - reference: endpoints of ``reference``.
    package func rows(_ endpoints: [Tensor], reference: Tensor) -> [EvaluationRow] {
        zip([self.reference] + methods, [reference] + endpoints).map { method, endpoint in
            row(of: method, endpoint, reference: reference)
        }
    }

    /// The row of one method.
    ///
    /// - Parameters:
    ///   - endpoint: where it ends.
    ///   - reference: endpoints of ``reference``.
    func row(of method: Method, _ endpoint: Tensor, reference: Tensor) -> EvaluationRow {
        let (firsts, goal) = (firsts(of: endpoint), firsts(of: reference))
        return EvaluationRow(
            method: method.name,
            functionEvaluations: method.sampler.evaluations,
            distanceToTeacher: DistanceStatistics(of: PairedDistance.perSample(firsts, goal)),
            sceneScore: judge?.score(firsts, on: model.pool),
            frechetDistance: model.drawsPixels ? FrechetDistance.squared(firsts, goal) : nil,
            diversity: DistanceStatistics(of: diversities(of: endpoint))
        )
    }

    /// The first sample of every prompt.
    private func firsts(of endpoint: Tensor) -> Tensor { endpoint.rows(0..<prompts.count) }

    /// How much the samples of one prompt differ, for every prompt that has several.
    private func diversities(of endpoint: Tensor) -> [Double] {
        let numbers = Dictionary(grouping: samples.indices) { samples[$0].prompt }
        return numbers.keys.sorted().compactMap { prompt in
            guard let rows = numbers[prompt], rows.count > 1 else { return nil }
            return PairwiseDiversity.ofPrompt(.stacked(rows.map { endpoint.row($0) }))
        }
    }

    /// One row a method under the reference, one column a prompt, the prompts above.
    package func sheet(_ endpoints: [Tensor], reference: Tensor) -> Picture {
        ContactSheet(
            rows: ([reference] + endpoints).map(shown),
            rowLabels: [self.reference.name] + methods.map(\.name),
            columnCaptions: Self.shownPrompts(prompts),
            scale: 4
        ).picture
    }

    /// The prompts whose pictures are on a sheet.
    static func shownPrompts(_ prompts: [String]) -> [String] { Array(prompts.prefix(columnCount)) }

    /// A row of a sheet; of a model that draws pixels.
    func shown(_ endpoint: Tensor) -> [Picture] {
        Picture.pictures(modelSpace: endpoint.rows(0..<Self.shownPrompts(prompts).count))
    }
}
