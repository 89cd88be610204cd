import Foundation

/// The merges of byte-pair encoding in order of rank, from a `merges.txt`, two tokens a line after a line that gives
/// the version, or from a `tokenizer.json`.
struct MergeRules {
    struct Rule: Equatable {
        /// The line of the file, or the place in its list of merges, counted from 1.
        let line: Int
        let left: String
        let right: String
    }

    let path: String
    let rules: [Rule]
    /// What rules are counted in.
    private let unit: String

    /// Those of a file that lists pairs.
    init(path: String, pairs: [(left: String, right: String)]) {
        self.path = path
        unit = "merge"
        rules = pairs.enumerated().map { Rule(line: $0 + 1, left: $1.left, right: $1.right) }
    }

    init(path: String) throws(ModelError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .missingFile(path: path, purpose: "a CLIP tokenizer has its merge rules there")
        }
        try self.init(path: path, bytes: [UInt8](data))
    }

    init(path: String, bytes: [UInt8]) throws(ModelError) {
        self.path = path
        unit = "line"
        // Split as bytes: to a String, a carriage return and a newline are one character.
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        var rules: [Rule] = []
        rules.reserveCapacity(lines.count)
        for (index, bytes) in lines.enumerated() {
            let line = index + 1
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw Self.error(path: path, line: line, "is not UTF-8")
            }
            let content = text.unicodeScalars.last == "\r" ? String(text.unicodeScalars.dropLast()) : text
            if content.isEmpty || (line == 1 && content.hasPrefix("#version")) { continue }
            let tokens = content.split(separator: " ", omittingEmptySubsequences: false)
            guard tokens.count == 2, tokens.allSatisfy({ !$0.isEmpty }) else {
                throw Self.error(path: path, line: line, "expected two tokens, got \"\(content)\"")
            }
            rules.append(Rule(line: line, left: String(tokens[0]), right: String(tokens[1])))
        }
        self.rules = rules
    }

    func error(inLine line: Int, _ problem: String) -> ModelError {
        .badFile(path: path, reason: "\(unit) \(line): \(problem)")
    }

    private static func error(path: String, line: Int, _ problem: String) -> ModelError {
        .badFile(path: path, reason: "line \(line): \(problem)")
    }
}
