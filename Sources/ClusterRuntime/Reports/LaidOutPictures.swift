import Checkpoints
import DiffusionModels
package import Distillation
package import Evaluation
import FlowMatching
import Foundation
import ImageFiles
import Tensors

/// Draws the pictures of a benchmark into its layout.
///
/// A picture follows from the settings, its prompt's position and its own number, whoever draws it; so several
/// processes share the work, and one that was stopped goes on where it was. A file that has its name is whole.
package struct LaidOutPictures: Sendable {
    /// What decides the pictures: written beside the folder, as nothing else may lie inside.
    package struct Settings: Codable, Sendable, Equatable {
        package var layout: String
        /// SHA-256 of the model's folder.
        package var model: String
        /// SHA-256 of the student's adapters; nil where the teacher draws.
        package var student: String?
        package var sigmas: [Double]
        package var guidance: Float
        package var seed: UInt64
        package var samples: Int
        /// SHA-256 of all prompts, a line each.
        package var prompts: String
        /// Of JPEG files, from 1 to 100.
        package var quality = 95
    }

    /// Which of the prompts a process draws: those whose position leaves `index` when divided by `count`.
    package struct Share: Sendable, Equatable {
        package let index: Int
        package let count: Int

        package init?(index: Int, of count: Int) {
            guard count >= 1, (0..<count).contains(index) else { return nil }
            self.index = index
            self.count = count
        }
    }

    /// Pictures solved for at once.
    private static let batch = 32

    private let root: String
    private let prompts: [LaidOutPrompt]
    private let settings: Settings
    private let share: Share

    /// - Parameter root: the folder; its parent may not be a benchmark's own folder, as the settings go there.
    package init(root: String, prompts: [LaidOutPrompt], settings: Settings, share: Share) {
        self.root = root.hasSuffix("/") ? String(root.dropLast()) : root
        self.prompts = prompts
        self.settings = settings
        self.share = share
    }

    /// What decides the pictures of some prompts.
    package static func settings(
        _ layout: PictureLayout,
        of prompts: [LaidOutPrompt],
        model: ModelSampler,
        studentPath: String?,
        sampler: FewStepSampler,
        seed: UInt64
    ) throws -> Settings {
        Settings(
            layout: layout.rawValue,
            model: try model.model.contentDigest().hex,
            student: try studentPath.map { try ContentDigest(ofFile: StudentFile.locate($0)).hex },
            sigmas: sampler.schedule.sigmas,
            guidance: sampler.guidanceScale,
            seed: seed,
            samples: prompts.first?.pictures.count ?? 0,
            prompts: ContentDigest(of: Array(prompts.map { "\($0.text)\n" }.joined().utf8)).hex
        )
    }

    /// One picture to draw.
    private struct Task {
        let prompt: Int
        let number: Int
        let path: String
    }

    /// Draws what is missing.
    ///
    /// - Parameter progress: receives how many pictures of the share are there, and of how many.
    /// - Returns: how many were drawn now.
    @discardableResult
    package func draw(
        with model: ModelSampler,
        _ sampler: FewStepSampler,
        progress: AsyncStream<(done: Int, total: Int)>.Continuation? = nil
    ) throws -> Int {
        let decoder = try model.makePictureDecoder()
        try claim()
        let mine = prompts.indices.filter { $0 % share.count == share.index }
        let all = mine.flatMap { prompt in
            prompts[prompt].pictures.enumerated().map { number, path in
                Task(prompt: prompt, number: number, path: "\(root)/\(path)")
            }
        }
        for folder in Set(all.map { Self.folder(of: $0.path) }).sorted() {
            try LocalRunFolder.create(folder)
        }
        for prompt in mine {
            guard let path = prompts[prompt].metadataPath else { continue }
            try place(Array((prompts[prompt].metadata + "\n").utf8), at: "\(root)/\(path)")
        }
        let missing = all.filter { !FileManager.default.fileExists(atPath: $0.path) }
        let unconditional = try model.encode([""])
        for start in stride(from: 0, to: missing.count, by: Self.batch) {
            progress?.yield((all.count - missing.count + start, all.count))
            let tasks = missing[start..<min(start + Self.batch, missing.count)]
            let latents = model.solve(
                sampler,
                from: model.noise(
                    of: tasks.map { (prompt: $0.prompt, number: $0.number) },
                    seed: settings.seed
                ),
                conditional: try model.encode(tasks.map { prompts[$0.prompt].text }),
                unconditional: unconditional
            )
            for (task, picture) in zip(tasks, decoder.pictures(latents)) {
                let isJPEG = task.path.hasSuffix(".jpg")
                let bytes =
                    isJPEG
                    ? JPEGFile.encode(picture, quality: settings.quality) : try PNGFile.encode(picture)
                try place(bytes, at: task.path)
            }
        }
        progress?.yield((all.count, all.count))
        if settings.layout == PictureLayout.flat.rawValue { try writeList() }
        return missing.count
    }

    /// Writes the settings beside the folder, or makes sure that those there are the same.
    private func claim() throws {
        let path = "\(root).settings.json"
        if let data = FileManager.default.contents(atPath: path) {
            guard let there = try? JSONDecoder().decode(Settings.self, from: data) else {
                throw EvaluationError.unreadable(path: path, reason: "expected the settings of \(root)")
            }
            guard there == settings else {
                throw EvaluationError.otherPictures(root: root, settings: path)
            }
            return
        }
        guard !FileManager.default.fileExists(atPath: root) else {
            throw EvaluationError.otherPictures(root: root, settings: path)
        }
        try LocalRunFolder.create(Self.folder(of: root))
        try writeAtomically(try ReportCoding.encoded(settings), to: path)
        try LocalRunFolder.create(root)
    }

    private static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }

    /// Gives a file its bytes and its name at once: it is written beside the folder, where no tool looks.
    private func place(_ bytes: [UInt8], at path: String) throws {
        let temporary = "\(root).part-\(share.index)"
        try? FileManager.default.removeItem(atPath: temporary)
        do {
            var file = try DurableFile(creating: temporary)
            try file.append(bytes)
            try file.close()
            try renameDurably(from: temporary, to: path)
        } catch {
            throw CheckpointError.unwritable(path: path, reason: error.reason)
        }
    }

    /// `prompts.jsonl`: which picture is of which prompt.
    private func writeList() throws {
        struct Line: Encodable {
            let idx: Int
            let file: String
            let prompt: String
            let seed: UInt64
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let files = prompts.flatMap { prompt in prompt.pictures.map { (file: $0, text: prompt.text) } }
        let lines = try files.enumerated().map { index, entry in
            try encoder.encode(Line(idx: index, file: entry.file, prompt: entry.text, seed: settings.seed))
        }
        try place(Array(lines.map { $0 + Data("\n".utf8) }.joined()), at: "\(root)/prompts.jsonl")
    }
}
