import ArgumentParser
import Checkpoints
import ClusterRuntime
import DiffusionModels
import Distillation
import Evaluation
import ImageFiles

/// `flowsteer evaluate`, without a further word: few steps against many, or the pictures of a benchmark.
struct EvaluateModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model",
        abstract: "Measures few steps against the teacher's own many, on held-out prompts.",
        discussion: """
            With --layout it draws pictures instead, as a benchmark's own tool reads them: those of the student, or \
            without one of the guided teacher, in --steps steps. A picture depends on the seed, its prompt's position and \
            its number alone, and those that are there are not drawn again.
            """
    )

    @OptionGroup var heldOut: HeldOutOptions

    @Option(help: "A student: a file, a checkpoint's folder or an exported one.")
    var student: String?

    @Option(help: "Steps of the student, and of the teacher it is compared with.")
    var steps = 4

    @Option(help: "Where the figures go.")
    var json = "evaluation.json"

    @Option(help: "Where the sheet goes.")
    var sheet = "evaluation.png"

    @OptionGroup(title: "Pictures for a benchmark's tool") var pictures: PictureOptions

    func validate() throws {
        guard (1...64).contains(steps) else { throw ValidationError("--steps is \(steps): expected 1 to 64") }
    }

    func run() async throws {
        let request = self
        if let layout = pictures.layout {
            try await drawPictures(layout)
            return
        }
        let (names, continuation) = AsyncStream.makeStream(of: String.self)
        let thread = ComputeThread(name: "evaluation")
        async let result = thread.run {
            defer { continuation.finish() }
            return try request.evaluate(progress: continuation)
        }
        for await name in names { say("evaluating: \(name)") }
        let found = try await result
        say("\n" + EvaluationTable(found.rows).plainText)
        if let tasks = EvaluationTable(tasksOf: found.rows) { say(tasks.plainText) }
        try writeAtomically(try found.json(), to: json)
        say("figures   \(json)")
        guard let picture = found.sheet else { return }
        try PNGFile.write(picture, to: sheet)
        say("sheet     \(sheet)")
    }

    private func evaluate(progress: AsyncStream<String>.Continuation) throws -> EvaluationResult {
        let sampler = try ModelSampler(modelPath: heldOut.model, lanes: heldOut.lanes)
        let network = try student.map { path in
            try sampler.model.makeTransformer(student: StudentFile.read(path, for: sampler.model))
        }
        let prompts = try heldOut.texts()
        let evaluation = try StudentEvaluation(
            sampler,
            student: network,
            prompts: prompts,
            judge: try HeldOutPrompts.judge(prompts, spritesPath: heldOut.spritesPath, for: sampler),
            segments: steps,
            sampling: try student.map { try StudentFile.sampling($0) } ?? StudentSampling(),
            guidance: heldOut.guidance,
            seed: heldOut.seed
        )
        return EvaluationResult(of: evaluation, drawsPixels: sampler.drawsPixels, progress: progress)
    }
}
