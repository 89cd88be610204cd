import ArgumentParser
import ClusterRuntime
import Foundation
import Tensors

/// `flowsteer encode prompts`.
struct EncodePromptsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prompts",
        abstract: "Fills prompts.cache before a run, so that no worker opens a text encoder.",
        discussion: """
            Encoded are the prompts of prompts.path and evaluation.path, and the negative one, each once. A call that \
            was ended goes on where it was; one that is made again checks every kept encoding. Workers of other machines \
            read the folder where they share it, or a copy of it (--prompt-cache).

            \(examples("flowsteer encode prompts --config Cluster/sd3-medium.yaml --cache encodings"))
            """
    )

    @OptionGroup var run: ConfigurationOptions

    @Option(help: "The folder for the encodings; default: prompts.cache of the configuration.")
    var cache: String?

    @Option(help: "Threads that compute; default: one a core.")
    var lanes = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
        guard lanes >= 1 else { throw ValidationError("--lanes is \(lanes): expected 1 or more") }
    }

    func run() async throws {
        var configuration = try run.read()
        if let cache { configuration.prompts.cachePath = absolutePath(cache, in: ".") }
        let (lanes, settled) = (lanes, configuration)
        let (steps, continuation) = AsyncStream.makeStream(of: PromptFilling.Progress.self)
        async let filled = ComputeThread(name: "encode").run {
            defer { continuation.finish() }
            let filling = try PromptFilling(settled)
            return try filling.run(on: LanePool(count: lanes), progress: continuation)
        }
        let start = ContinuousClock.now
        for await step in steps {
            let made = step.done - step.kept
            let rate = Double(made) / max(1e-3, (ContinuousClock.now - start) / .seconds(1))
            let left = made > 0 ? String(format: ", %.0f s left", Double(step.total - step.done) / rate) : ""
            say("\(step.done) of \(step.total) prompts, \(String(format: "%.1f", rate))/s\(left)")
        }
        let result = try await filled
        let folder = settled.prompts.cachePath ?? ""
        say("\(result.total) encodings in \(folder), \(result.kept) of them there before")
    }
}
