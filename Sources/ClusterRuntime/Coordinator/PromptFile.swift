import FoundationEssentials

/// Prompts read from a file: its lines, or one column of JSON lines or of comma-separated values.
///
/// Lines of nothing but white space are passed over, and a byte order mark is. A column with an empty prompt, or one
/// longer than a lease carries, is refused by its line.
enum PromptFile {
    /// Bytes of UTF-8 in the longest prompt, as the wire bounds them.
    static let longestPrompt = 16 << 10

    /// The prompts of a file, in order; at least one.
    static func read(_ settings: PromptSettings) throws(CoordinatorError) -> [String] {
        let path = settings.path ?? ""
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .badPrompts(path: path, reason: "there is no such file")
        }
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let bytes = Array(data.starts(with: mark) ? data.dropFirst(mark.count) : data)
        let prompts: [(text: String, line: Int)]
        do {
            prompts =
                switch settings.kind {
                case .scenes, .file: try JSONLines.lines(of: bytes)
                case .jsonl: try JSONLines.texts([settings.column], of: bytes).map { ($0.texts[0], $0.line) }
                case .csv: try DelimitedText.column(settings.column, of: bytes)
                }
            for prompt in prompts { try check(prompt.text, line: prompt.line) }
        } catch {
            throw .badPrompt(path: path, line: error.line, reason: error.reason)
        }
        guard !prompts.isEmpty else { throw .badPrompts(path: path, reason: "the file has none") }
        return prompts.map(\.text)
    }

    private static func check(_ prompt: String, line: Int) throws(BadLine) {
        guard !prompt.allSatisfy(\.isWhitespace) else {
            throw BadLine(line: line, reason: "expected a prompt, found an empty one")
        }
        guard prompt.utf8.count <= longestPrompt else {
            throw BadLine(
                line: line,
                reason: "expected a prompt of at most \(longestPrompt) bytes, found \(prompt.utf8.count)"
            )
        }
    }
}
