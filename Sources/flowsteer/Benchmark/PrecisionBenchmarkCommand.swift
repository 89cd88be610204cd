import ArgumentParser
import ClusterRuntime
import Foundation
import Tensors

/// `flowsteer benchmark precision`.
struct PrecisionBenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "precision",
        abstract: "How far the teacher's guided trajectories drift when its weights are rounded.",
        discussion: "Real weights, not random ones: what rounding costs depends on them."
    )

    @Option(help: "The model, a folder as diffusers writes it.")
    var model: String

    @Option(help: "Of the rounded weights and their products: bf16, or fp32 to compare a model with itself.")
    var precision = Precision.bfloat16

    @Option(help: "How many prompts.")
    var prompts = 32

    @Option(help: "A file with one prompt a line; default: emoji scenes of the model's sprites.json.")
    var promptsFile: String?

    @Option(help: "Steps of the solver.")
    var steps = 32

    @Option(help: "Guidance scale.")
    var guidance: Float = 3

    @Option(help: "Decides prompts and noise.")
    var seed: UInt64 = 0

    @Option(help: "Threads that compute; default: one a core.")
    var lanes = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "Prints JSON instead of a sentence.")
    var json = false

    func validate() throws {
        guard prompts >= 1 else { throw ValidationError("--prompts is \(prompts): expected 1 or more") }
        guard (1...4096).contains(steps) else {
            throw ValidationError("--steps is \(steps): expected 1 to 4096")
        }
        guard guidance.isFinite, guidance > 0 else {
            throw ValidationError("--guidance is \(guidance): expected a positive number")
        }
        guard lanes >= 1 else { throw ValidationError("--lanes is \(lanes): expected 1 or more") }
    }

    func run() throws {
        let texts = try texts()
        let comparison = try PrecisionComparison(
            of: ModelSampler(modelPath: model, lanes: lanes),
            precision: precision,
            prompts: texts,
            steps: steps,
            guidance: guidance,
            seed: seed
        )
        guard !json else {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            return say(String(decoding: try encoder.encode(comparison), as: UTF8.self))
        }
        let relative = comparison.relativeDifferences.sorted()
        let distances = comparison.distances.sorted()
        func figure(_ value: Double) -> String { String(format: "%.2e", value) }
        say(
            """
            \(precision.rawValue) against fp32, \(steps) steps at guidance \(guidance), \(texts.count) prompts
            relative difference of the endpoints: median \(figure(relative[relative.count / 2])), \
            largest \(figure(relative[relative.count - 1]))
            root mean square distance:            median \(figure(distances[distances.count / 2])), \
            largest \(figure(distances[distances.count - 1]))
            """
        )
    }

    private func texts() throws -> [String] {
        if let promptsFile { return try HeldOutPrompts.lines(of: promptsFile, limit: prompts) }
        let sprites = RunConfiguration.spritesPath(besideModel: absolutePath(model, in: "."))
        return try HeldOutPrompts.scenes(spritesPath: sprites, count: prompts, seed: seed)
    }
}
