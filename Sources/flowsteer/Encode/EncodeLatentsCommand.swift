import ArgumentParser
import ClusterRuntime
import DiffusionModels
import Foundation
import Tensors

/// `flowsteer encode`, as it is without a further word.
struct EncodeLatentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latents",
        abstract: "Turns a folder of captioned pictures into a model's latents, as safetensors shards.",
        discussion: """
            The folder holds PNG and JPEG files and metadata.jsonl with a line {"file_name": "0001.png", "text": "a red \
            cube"} for each, as Hugging Face's datasets reads it. The middle of a picture is cut to the aspect asked for \
            and scaled; opacity is laid over white. Latents are the means of the model's autoencoder, or pixels in -1 to 1 \
            where it has none. A call that was ended goes on where it was; index.json is written last.
            """
    )

    @Argument(help: "The folder of pictures.")
    var pictures: String

    @Option(help: "The model, a folder as diffusers writes it.")
    var model: String

    @Option(help: "The folder for the latents.")
    var out: String

    @Option(help: "The member of metadata.jsonl that holds the caption.")
    var column = "text"

    @Option(help: "Height of the pictures in pixels; default: what the model was trained on.")
    var height: Int?

    @Option(help: "Their width in pixels; default: what the model was trained on.")
    var width: Int?

    @Option(help: "Pictures that a shard is made of.")
    var shardSize = 256

    @Flag(
        help: "Passes over pictures that cannot be read, and says which; without it the first ends the work."
    )
    var skipUnreadable = false

    @Option(help: "Threads that compute; default: one a core.")
    var lanes = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
        guard shardSize >= 1 else {
            throw ValidationError("--shard-size is \(shardSize): expected 1 or more")
        }
        guard lanes >= 1 else { throw ValidationError("--lanes is \(lanes): expected 1 or more") }
    }

    func run() async throws {
        let request = self
        let (steps, continuation) = AsyncStream.makeStream(of: LatentEncoding.Progress.self)
        async let encoded = ComputeThread(name: "encode").run {
            defer { continuation.finish() }
            return try request.encode(progress: continuation)
        }
        let start = ContinuousClock.now
        for await step in steps {
            let made = step.done - step.kept
            let rate = Double(made) / max(1e-3, (ContinuousClock.now - start) / .seconds(1))
            let left = made > 0 ? String(format: ", %.0f s left", Double(step.total - step.done) / rate) : ""
            say("\(step.done) of \(step.total) pictures, \(String(format: "%.1f", rate))/s\(left)")
        }
        let index = try await encoded
        for picture in index.skipped { say("skipped \(picture.fileName): \(picture.reason)") }
        let skipped = index.skipped.isEmpty ? "" : ", \(index.skipped.count) pictures skipped"
        say("\(index.count) latents in \(index.shards.count) shards in \(out)\(skipped)")
    }

    private func encode(progress: AsyncStream<LatentEncoding.Progress>.Continuation) throws
        -> LatentFolder.Index
    {
        let encoding = try LatentEncoding(
            CaptionedPictures(folder: pictures, column: column),
            model: ModelOutline(path: model),
            height: height,
            width: width,
            shardSize: shardSize,
            skipsUnreadable: skipUnreadable,
            into: out
        )
        return try encoding.run(on: LanePool(count: lanes), progress: progress)
    }
}
