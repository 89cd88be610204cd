import Checkpoints
import DiffusionModels
import Foundation
import TestSupport
import Testing

/// Tokenizers on ten thousand lines of words that the locales of a C library have, in 34 scripts, against transformers
/// (`Scripts/reference/make_tokenizer_lines.py`).
@Suite struct TokenizerLinesTests {
    private static let block = 100

    private func differingBlocks(of name: String, _ encode: (String) -> [Int]) throws -> [String] {
        let text = try String(contentsOfFile: "\(TextFixture.folder)/lines.txt", encoding: .utf8)
        let lines = text.split(separator: "\n").map(String.init)
        let data = try Data(contentsOf: URL(filePath: "\(TextFixture.folder)/lines.json"))
        let digests = try #require(try JSONDecoder().decode([String: [String]].self, from: data)[name])
        #expect(lines.count == 10_000 && digests.count * Self.block == lines.count)
        return digests.enumerated().compactMap { index, expected in
            let rows = lines[index * Self.block..<(index + 1) * Self.block].map { line in
                encode(line).map(String.init).joined(separator: ",") + "\n"
            }
            let found = ContentDigest(of: Array(rows.joined().utf8)).description.prefix(expected.count)
            return found == expected ? nil : "lines \(index * Self.block + 1) to \((index + 1) * Self.block)"
        }
    }

    @Test(arguments: ["tokenizer", "tokenizer_2"])
    func `CLIP's tokens of ten thousand lines are those of transformers`(name: String) throws {
        let tokenizer = try CLIPTokenizer(folder: "\(TextFixture.folder)/\(name)")
        #expect(try differingBlocks(of: name) { tokenizer.encode($0) } == [])
    }

    @Test func `T5's tokens of ten thousand lines are those of transformers`() throws {
        let tokenizer = try T5Tokenizer(folder: "\(TextFixture.folder)/tokenizer_3")
        #expect(try differingBlocks(of: "tokenizer_3") { tokenizer.encode($0) } == [])
    }
}
