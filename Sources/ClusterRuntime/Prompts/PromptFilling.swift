import DiffusionModels
import Distillation
package import Tensors

/// The encodings of all prompts that a run will meet, made before it begins.
///
/// They are kept where the workers look for them (`prompts.cache`), so those open no text encoder. What is kept already is
/// read and left as it is; an encoding whose file is spoiled is made anew.
package struct PromptFilling: Sendable {
    package struct Progress: Sendable, Equatable {
        /// Prompts that are kept now, and all.
        package let done: Int
        package let total: Int
        /// Of those, prompts that were kept before.
        package let kept: Int
    }

    /// Prompts that are encoded before they are told of.
    private static let chunk = 32

    private let text: TextPipeline
    private let prompts: [String]

    /// Reads the run's prompts; text encoders are opened when one is not kept.
    ///
    /// - Throws: a ``ConfigurationError`` for a run that keeps no encodings, whose prompts are drawn without end, or whose
    ///   limit holds fewer than all.
    package init(_ configuration: RunConfiguration) throws {
        let settings = configuration.prompts
        guard settings.cachePath != nil else {
            throw ConfigurationError.unfit(
                key: "prompts.cache",
                value: "absent",
                expected: "the folder for the encodings, there or by --cache"
            )
        }
        guard settings.kind != .scenes else {
            throw ConfigurationError.unfit(
                key: "prompts.kind",
                value: "scenes",
                expected: "file, jsonl or csv: captions of scenes are drawn as the run goes"
            )
        }
        var all = try [configuration.trajectory.negativePrompt] + PromptFile.read(settings)
        if configuration.evaluation.path != nil { all += try HeldOutPrompts.prompts(of: configuration) }
        var seen: Set<String> = []
        prompts = all.filter { seen.insert($0).inserted }
        text = try ModelFolder(of: configuration).text
        let needed = prompts.count * text.keptByteCount
        guard needed <= settings.cacheSize << 30 else {
            throw ConfigurationError.unfit(
                key: "prompts.cache_gib",
                value: "\(settings.cacheSize)",
                expected: "at least \(((needed - 1) >> 30) + 1) for \(prompts.count) prompts"
            )
        }
    }

    /// Encodes what is not kept.
    ///
    /// - Parameter progress: yielded to after every chunk of prompts.
    /// - Throws: a ``ModelError`` or a file's error; a ``ConfigurationError`` where other encodings in the folder leave these
    ///   no room.
    package func run(
        on pool: LanePool,
        progress: AsyncStream<Progress>.Continuation? = nil
    ) throws -> Progress {
        var (done, kept) = (0, 0)
        for start in stride(from: 0, to: prompts.count, by: Self.chunk) {
            let chunk = Array(prompts[start..<min(start + Self.chunk, prompts.count)])
            kept += try text.keep(chunk, on: pool.lanes[0].tape)
            done += chunk.count
            progress?.yield(Progress(done: done, total: prompts.count, kept: kept))
        }
        let gone = prompts.count { !text.keeps($0) }
        guard gone == 0 else {
            throw ConfigurationError.unfit(
                key: "prompts.cache_gib",
                value: "\((text.cache?.byteLimit ?? 0) >> 30)",
                expected: "more, or a folder of these prompts alone: \(gone) of \(prompts.count) had no room"
            )
        }
        return Progress(done: done, total: prompts.count, kept: kept)
    }
}
