import Foundation

/// Lines of text, and JSON objects one a line (RFC 8259).
enum JSONLines {
    /// The lines with something in them, ended by LF or CR LF.
    static func lines(of bytes: [UInt8]) throws(BadLine) -> [(text: String, line: Int)] {
        var lines: [(text: String, line: Int)] = []
        let parts = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            let content = part.last == UInt8(ascii: "\r") ? part.dropLast() : part
            guard let text = String(validating: content, as: UTF8.self) else {
                throw BadLine(line: index + 1, reason: "expected UTF-8")
            }
            if !text.allSatisfy(\.isWhitespace) { lines.append((text, index + 1)) }
        }
        return lines
    }

    /// The members of these names, all of them texts, of every line's object.
    static func texts(
        _ names: [String],
        of bytes: [UInt8]
    ) throws(BadLine) -> [(texts: [String], line: Int)] {
        var objects: [(texts: [String], line: Int)] = []
        for (text, line) in try lines(of: bytes) {
            let parsed = try? JSONSerialization.jsonObject(with: Data(text.utf8))
            guard let object = parsed as? [String: Any] else {
                let wanted = names.map { "'\($0)'" }.joined(separator: " and ")
                throw BadLine(line: line, reason: "expected a JSON object with a text under \(wanted)")
            }
            var texts: [String] = []
            for name in names {
                guard let text = object[name] as? String else {
                    let there = object.keys.sorted().joined(separator: ", ")
                    let found = object[name] == nil ? there : "no text there"
                    throw BadLine(line: line, reason: "expected a text under '\(name)', found \(found)")
                }
                texts.append(text)
            }
            objects.append((texts, line))
        }
        return objects
    }
}

/// What is wrong with a line of a file, counted from 1.
struct BadLine: Error {
    let line: Int
    let reason: String
}
