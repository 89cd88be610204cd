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

    @OptionGroup var heldOut: HeldOutOptions

    @Option(help: "Of the rounded weights and their products: bf16, or fp32 to compare a model with itself.")
    var precision = Precision.bfloat16

    @Option(help: "Steps of the solver.")
    var steps = 32

    @Flag(help: "Prints JSON instead of a sentence.")
    var json = false

    func validate() throws {
        guard (1...4096).contains(steps) else {
            throw ValidationError("--steps is \(steps): expected 1 to 4096")
        }
    }

    func run() throws {
        let texts = try heldOut.texts()
        let comparison = try PrecisionComparison(
            of: ModelSampler(modelPath: heldOut.model, lanes: heldOut.lanes),
            precision: precision,
            prompts: texts,
            steps: steps,
            guidance: heldOut.guidance,
            seed: heldOut.seed
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
            \(precision.rawValue) against fp32, \(steps) steps at guidance \(heldOut.guidance), \(texts.count) prompts
            relative difference of the endpoints: median \(figure(relative[relative.count / 2])), \
            largest \(figure(relative[relative.count - 1]))
            root mean square distance:            median \(figure(distances[distances.count / 2])), \
            largest \(figure(distances[distances.count - 1]))
            """
        )
    }
}
