/// How pictures lie in folders, so that others' tools read them unchanged.
package enum PictureLayout: String, Sendable, CaseIterable {
    /// A folder a prompt, `00000/metadata.jsonl` and `00000/samples/00000.png`, as GenEval reads them
    /// (djghosh13/geneval).
    case geneval
    /// A folder a style, `anime/00000.jpg`, and nothing else, as HPSv2 reads them (tgxs002/HPSv2).
    case hpsv2
    /// Pictures in one folder, `images/00000.png`, and `prompts.jsonl` beside it, a line a picture.
    case flat

    /// Pictures of a prompt, unless told otherwise: GenEval's figures are of four.
    package var usualSampleCount: Int { self == .geneval ? 4 : 1 }
}

/// A prompt with its place in a layout.
package struct LaidOutPrompt: Sendable, Hashable {
    package let text: String
    /// Where its pictures go, relative to the root, a path a sample.
    package let pictures: [String]
    /// GenEval's description, one JSON object; empty for other layouts.
    package let metadata: String
    /// Where the description goes, relative to the root.
    package let metadataPath: String?

    /// A prompt of GenEval.
    ///
    /// - Parameters:
    ///   - metadata: the prompt's line of `evaluation_metadata.jsonl`, verbatim.
    ///   - index: its place among all prompts.
    package init(geneval metadata: String, text: String, index: Int, samples: Int) {
        let folder = Self.number(index)
        self.text = text
        self.metadata = metadata
        metadataPath = "\(folder)/metadata.jsonl"
        pictures = (0..<samples).map { "\(folder)/samples/\(Self.number($0)).png" }
    }

    /// A prompt of HPSv2, which has one picture.
    ///
    /// - Parameter index: its place among those of its style.
    package init(hpsv2 style: String, text: String, index: Int) {
        self.text = text
        metadata = ""
        metadataPath = nil
        pictures = ["\(style)/\(Self.number(index)).jpg"]
    }

    /// A prompt of a plain list.
    package init(flat text: String, index: Int, samples: Int) {
        self.text = text
        metadata = ""
        metadataPath = nil
        pictures = (0..<samples).map { "images/\(Self.number(index * samples + $0)).png" }
    }

    private static func number(_ value: Int) -> String {
        let digits = "\(value)"
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }
}
