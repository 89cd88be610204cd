import Foundation

/// A tokenizer against a reference, line by line.
package struct TokenizerVerification: Sendable, Equatable {
    /// A line whose tokens are others.
    package struct Difference: Sendable, Equatable {
        /// Counted from 1.
        package let line: Int
        package let text: String
        package let expected: [Int]
        package let found: [Int]
    }

    /// Lines compared.
    package private(set) var lineCount = 0
    /// Lines of which a token differs.
    package private(set) var differentCount = 0
    /// The first of them.
    package private(set) var first: Difference?

    /// - Parameters:
    ///   - component: one of the three tokenizers.
    ///   - folder: the component's.
    ///   - path: JSON lines of `{"text": …, "input_ids": […]}`, special tokens included, nothing padded or cut.
    package init(_ component: ModelComponent, folder: String, reference path: String) throws {
        let encode: (String) -> [Int]
        if component == .tokenizer3 {
            let tokenizer = try T5Tokenizer(folder: folder)
            encode = { tokenizer.encode($0) }
        } else {
            let tokenizer = try CLIPTokenizer(folder: folder)
            encode = { tokenizer.encode($0) }
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ModelError.missingFile(path: path, purpose: "the reference's lines are there")
        }
        let decoder = JSONDecoder()
        for (index, line) in data.split(separator: UInt8(ascii: "\n")).enumerated() {
            let expected: ReferenceLine
            do {
                expected = try decoder.decode(ReferenceLine.self, from: line)
            } catch {
                let reason = "line \(index + 1) is no {\"text\": …, \"input_ids\": […]}"
                throw ModelError.badFile(path: path, reason: reason)
            }
            lineCount += 1
            let found = encode(expected.text)
            guard found != expected.input_ids else { continue }
            differentCount += 1
            first =
                first
                ?? Difference(
                    line: index + 1,
                    text: expected.text,
                    expected: expected.input_ids,
                    found: found
                )
        }
        guard lineCount > 0 else { throw ModelError.badFile(path: path, reason: "has no lines") }
    }

    private struct ReferenceLine: Decodable {
        let text: String
        let input_ids: [Int]
    }
}
