import ArgumentParser
import Checkpoints
import ClusterRuntime
import DiffusionModels
import Evaluation
import Foundation
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

    @Option(help: "The model, a folder as diffusers writes it.")
    var model: String

    @Option(help: "A student: a file of adapters, a checkpoint's folder or an exported one.")
    var student: String?

    @Option(help: "How many prompts.")
    var prompts = 120

    @Option(
        help:
            "Held-out prompts, one a line, or a benchmark's own file; default: emoji scenes of the model's sprites.json."
    )
    var promptsFile: String?

    @Option(help: "Steps of the student, and of the teacher it is compared with.")
    var steps = 4

    @Option(help: "Guidance scale of the teacher.")
    var guidance: Float = 3

    @Option(help: "Decides prompts and noise.")
    var seed: UInt64 = 0

    @Option(help: "Where the figures go.")
    var json = "evaluation.json"

    @Option(help: "Where the sheet goes.")
    var sheet = "evaluation.png"

    @Option(help: "Threads that compute; default: one a core.")
    var lanes = ProcessInfo.processInfo.activeProcessorCount

    @OptionGroup(title: "Pictures for a benchmark's tool") var pictures: PictureOptions

    func validate() throws {
        guard prompts >= 1 else { throw ValidationError("--prompts is \(prompts): expected 1 or more") }
        guard (1...64).contains(steps) else { throw ValidationError("--steps is \(steps): expected 1 to 64") }
        guard guidance.isFinite, guidance > 0 else {
            throw ValidationError("--guidance is \(guidance): expected a positive number")
        }
        guard lanes >= 1 else { throw ValidationError("--lanes is \(lanes): expected 1 or more") }
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
        let sampler = try ModelSampler(modelPath: model, lanes: lanes)
        let network = try student.map { path in
            try sampler.model.makeTransformer(adapters: StudentFile.read(path, for: sampler.model))
        }
        let prompts = try heldOut()
        let evaluation = try StudentEvaluation(
            sampler,
            student: network,
            prompts: prompts,
            judge: try HeldOutPrompts.judge(prompts, spritesPath: spritesPath, for: sampler),
            segments: steps,
            guidance: guidance,
            seed: seed
        )
        return EvaluationResult(of: evaluation, drawsPixels: sampler.drawsPixels, progress: progress)
    }

    private func heldOut() throws -> [String] {
        if let promptsFile { return try HeldOutPrompts.lines(of: promptsFile, limit: prompts) }
        return try HeldOutPrompts.scenes(spritesPath: spritesPath, count: prompts, seed: seed)
    }

    var spritesPath: String {
        RunConfiguration.spritesPath(besideModel: absolutePath(model, in: "."))
    }
}
