import ArgumentParser
import Checkpoints
import ClusterRuntime
import Evaluation
import Foundation
import Tensors

/// `flowsteer evaluate scenes`.
struct EvaluateScenesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scenes",
        abstract:
            "Says how far the scene score can be trusted: draws scenes, blurs them or adds noise, and reads them."
    )

    @Option(help: "The sprites.json that scenes are made of; sprites.png is beside it.")
    var sprites: String

    @Option(help: "Scenes, the six tasks in turn.")
    var count = 1200

    @Option(help: "Decides captions, places and noise.")
    var seed: UInt64 = 0

    @Option(help: "Where the figures go.")
    var json: String?

    @Flag(help: "Clean scenes only; fails where less than 99 % are read rightly.")
    var selfCheck = false

    @Option(help: "Threads that compute; default: one a core.")
    var lanes = ProcessInfo.processInfo.activeProcessorCount

    /// What the scene score promises of clean scenes.
    private static let leastCleanScore = 0.99

    func validate() throws {
        guard count >= 6 else { throw ValidationError("--count is \(count): expected 6 or more") }
        guard lanes >= 1 else { throw ValidationError("--lanes is \(lanes): expected 1 or more") }
    }

    func run() async throws {
        let request = self
        let reliability = try await ComputeThread(name: "scenes").run {
            try SceneReliability(
                of: SpriteAtlas(catalogPath: request.sprites),
                disturbances: request.selfCheck ? [.none] : SceneReliability.disturbances,
                count: request.count,
                seed: request.seed,
                on: LanePool(count: request.lanes)
            )
        }
        say(reliability.plainText)
        if let json {
            try writeAtomically(Array(try JSONEncoder().encode(reliability)), to: json)
            say("figures   \(json)")
        }
        let clean = reliability.rows[0].score.overall
        if selfCheck, clean < Self.leastCleanScore {
            throw EvaluationError.unreliableScore(share: clean, least: Self.leastCleanScore)
        }
    }
}
