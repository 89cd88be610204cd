import ArgumentParser
import ClusterRuntime
import Foundation

/// The options of what draws from a model on held-out prompts.
struct HeldOutOptions: ParsableArguments {
    @Option(help: "The model, a folder as diffusers writes it.")
    var model: String

    @Option(help: "How many prompts.")
    var prompts = 120

    @Option(
        help:
            "Held-out prompts, one a line, or a benchmark's own file; default: emoji scenes of the model's sprites.json."
    )
    var promptsFile: String?

    @Option(help: "Guidance scale of the teacher.")
    var guidance: Float = 3

    @Option(help: "Decides prompts and noise.")
    var seed: UInt64 = 0

    @Option(help: "Threads that compute; default: one a core.")
    var lanes = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
        guard prompts >= 1 else { throw ValidationError("--prompts is \(prompts): expected 1 or more") }
        guard guidance.isFinite, guidance > 0 else {
            throw ValidationError("--guidance is \(guidance): expected a positive number")
        }
        guard lanes >= 1 else { throw ValidationError("--lanes is \(lanes): expected 1 or more") }
    }

    /// The prompts themselves.
    func texts() throws -> [String] {
        if let promptsFile { return try HeldOutPrompts.lines(of: promptsFile, limit: prompts) }
        return try HeldOutPrompts.scenes(spritesPath: spritesPath, count: prompts, seed: seed)
    }

    /// The sprites beside the model.
    var spritesPath: String {
        RunConfiguration.spritesPath(besideModel: absolutePath(model, in: "."))
    }
}
