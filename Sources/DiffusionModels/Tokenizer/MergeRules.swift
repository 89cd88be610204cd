import Foundation

/// The rules of a `merges.txt`: two tokens a line, in order of rank, after a line that gives the version.
struct MergeRules {
    struct Rule: Equatable {
        /// The line of the file, counted from 1.
        let line: Int
        let left: String
        let right: String
    }

    let path: String
    let rules: [Rule]

    init(path: String) throws(ModelError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .missingFile(path: path, purpose: "a CLIP tokenizer has its merge rules there")
        }
        try self.init(path: path, bytes: [UInt8](data))
    }

    init(path: String, bytes: [UInt8]) throws(ModelError) {
        self.path = path
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
        Self.error(path: path, line: line, problem)
    }

    private static func error(path: String, line: Int, _ problem: String) -> ModelError {
        .badFile(path: path, reason: "line \(line): \(problem)")
    }
}
