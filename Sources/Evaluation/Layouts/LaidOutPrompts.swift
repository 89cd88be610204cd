import Foundation

/// The prompts of a benchmark, as the benchmark's own files list them.
package enum LaidOutPrompts {
    /// Reads a benchmark's prompts.
    ///
    /// - Parameter path: for GenEval its `evaluation_metadata.jsonl`; for HPSv2 a folder with `<style>.json`, a JSON
    ///   list of prompts, for every style, or one such file; else a file with one prompt a line.
    package static func read(
        _ layout: PictureLayout,
        path: String,
        samples: Int
    ) throws(EvaluationError) -> [LaidOutPrompt] {
        let prompts: [LaidOutPrompt]
        switch layout {
        case .geneval: prompts = try geneval(path, samples: samples)
        case .hpsv2: prompts = try hpsv2(path)
        case .flat:
            prompts = try lines(of: path).enumerated().map { index, text in
                LaidOutPrompt(flat: text, index: index, samples: samples)
            }
        }
        guard !prompts.isEmpty else { throw .unreadable(path: path, reason: "it has no prompt") }
        return prompts
    }

    /// Captions of scenes laid out; HPSv2's only style is `scenes`.
    package static func scenes(
        _ captions: [SceneCaption],
        _ layout: PictureLayout,
        samples: Int
    ) -> [LaidOutPrompt] {
        captions.enumerated().map { index, caption in
            switch layout {
            case .geneval:
                LaidOutPrompt(
                    geneval: caption.genevalMetadata,
                    text: caption.text,
                    index: index,
                    samples: samples
                )
            case .hpsv2: LaidOutPrompt(hpsv2: "scenes", text: caption.text, index: index)
            case .flat: LaidOutPrompt(flat: caption.text, index: index, samples: samples)
            }
        }
    }

    private static func geneval(_ path: String, samples: Int) throws(EvaluationError) -> [LaidOutPrompt] {
        struct Line: Decodable { let prompt: String }
        var prompts: [LaidOutPrompt] = []
        for line in try lines(of: path) {
            guard let parsed = try? JSONDecoder().decode(Line.self, from: Data(line.utf8)) else {
                throw .unreadable(
                    path: path,
                    reason: "its prompt \(prompts.count) is no JSON object with a \"prompt\""
                )
            }
            prompts.append(
                LaidOutPrompt(geneval: line, text: parsed.prompt, index: prompts.count, samples: samples)
            )
        }
        return prompts
    }

    private static func hpsv2(_ path: String) throws(EvaluationError) -> [LaidOutPrompt] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path))?.sorted()
        let files = names.map { $0.filter { $0.hasSuffix(".json") }.map { "\(path)/\($0)" } } ?? [path]
        guard !files.isEmpty else {
            throw .unreadable(path: path, reason: "expected <style>.json, a list of prompts, for every style")
        }
        var prompts: [LaidOutPrompt] = []
        for file in files {
            let style = URL(filePath: file).deletingPathExtension().lastPathComponent
            guard let data = FileManager.default.contents(atPath: file),
                let texts = try? JSONDecoder().decode([String].self, from: data)
            else { throw .unreadable(path: file, reason: "expected a JSON list of prompts") }
            prompts += texts.enumerated().map { LaidOutPrompt(hpsv2: style, text: $1, index: $0) }
        }
        return prompts
    }

    private static func lines(of path: String) throws(EvaluationError) -> [String] {
        guard let data = FileManager.default.contents(atPath: path),
            let text = String(validating: data, as: UTF8.self)
        else { throw .unreadable(path: path, reason: "expected a file of UTF-8 text") }
        return text.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }.map(
            String.init
        )
    }
}

extension SceneCaption {
    /// The scene as a line of GenEval's `evaluation_metadata.jsonl` describes one.
    package var genevalMetadata: String {
        let include: [GenevalMetadata.Object]
        switch self {
        case .singleObject(let sprite), .colors(let sprite): include = [.init(sprite)]
        case .counting(let sprite, let count):
            return GenevalMetadata(
                tag: task.rawValue,
                include: [.init(sprite, count: count)],
                exclude: [.init(sprite, count: count + 1)],
                prompt: text
            ).json
        case .twoObject(let first, let second), .colorAttribution(let first, let second):
            include = [.init(first), .init(second)]
        // The second is what the first stands relative to, so it comes first.
        case .position(let first, let relation, let second):
            include = [.init(second), .init(first, relation: relation)]
        }
        return GenevalMetadata(tag: task.rawValue, include: include, exclude: nil, prompt: text).json
    }
}

/// A line of `evaluation_metadata.jsonl`.
private struct GenevalMetadata: Encodable {
    struct Object: Encodable {
        let sprite: Sprite
        let count: Int
        let relation: SceneCaption.Relation?

        init(_ sprite: Sprite, count: Int = 1, relation: SceneCaption.Relation? = nil) {
            self.sprite = sprite
            self.count = count
            self.relation = relation
        }

        private enum Key: String, CodingKey {
            case name = "class"
            case count, color, position
        }

        func encode(to encoder: any Encoder) throws {
            var object = encoder.container(keyedBy: Key.self)
            try object.encode(sprite.name, forKey: .name)
            try object.encode(count, forKey: .count)
            try object.encodeIfPresent(sprite.color, forKey: .color)
            guard let relation else { return }
            // How, and to which of the objects.
            var position = object.nestedUnkeyedContainer(forKey: .position)
            try position.encode(relation.rawValue)
            try position.encode(0)
        }
    }

    let tag: String
    let include: [Object]
    let exclude: [Object]?
    let prompt: String

    /// Keys in order, on one line.
    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings and numbers always have a form in JSON.
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
