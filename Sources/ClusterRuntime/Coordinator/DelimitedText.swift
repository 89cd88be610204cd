/// Comma-separated values (RFC 4180) with a header that names the columns.
///
/// Fields may be quoted, then a doubled quote is one, and commas and line breaks belong to the field; records end with
/// CR LF or LF.
struct DelimitedText {
    private static let quote = UInt8(ascii: "\"")
    private static let comma = UInt8(ascii: ",")
    private static let carriageReturn = UInt8(ascii: "\r")
    private static let lineFeed = UInt8(ascii: "\n")

    private struct Record {
        var fields: [String] = []
        /// The line it begins in, counted from 1.
        let line: Int

        /// A line without a character, which holds no record.
        var isBlank: Bool { fields == [""] }
    }

    private let bytes: [UInt8]
    private var position = 0
    private var line = 1

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The fields of a column, each with the line its record begins in.
    static func column(
        _ name: String,
        of bytes: [UInt8]
    ) throws(BadLine) -> [(text: String, line: Int)] {
        var text = DelimitedText(bytes)
        guard let header = try text.nextRecord() else { return [] }
        guard let index = header.fields.firstIndex(of: name) else {
            let found = header.fields.joined(separator: ", ")
            throw BadLine(line: header.line, reason: "expected a column '\(name)', found \(found)")
        }
        var values: [(text: String, line: Int)] = []
        while let record = try text.nextRecord() {
            guard record.fields.count == header.fields.count else {
                throw BadLine(
                    line: record.line,
                    reason: "expected \(header.fields.count) fields, as in the header, "
                        + "found \(record.fields.count)"
                )
            }
            values.append((record.fields[index], record.line))
        }
        return values
    }

    /// The next record that is no blank line; nil at the end.
    private mutating func nextRecord() throws(BadLine) -> Record? {
        while position < bytes.count {
            var record = Record(line: line)
            repeat { record.fields.append(try nextField()) } while take(Self.comma)
            if take(Self.carriageReturn), position < bytes.count, bytes[position] != Self.lineFeed {
                throw BadLine(line: line, reason: "expected a line feed behind a carriage return")
            }
            if take(Self.lineFeed) { line += 1 }
            if !record.isBlank { return record }
        }
        return nil
    }

    private mutating func nextField() throws(BadLine) -> String {
        let (start, isQuoted) = (line, take(Self.quote))
        let content = isQuoted ? try quotedContent() : plainContent()
        guard let text = String(validating: content, as: UTF8.self) else {
            throw BadLine(line: start, reason: "expected UTF-8")
        }
        guard isAtEndOfField else {
            let found =
                isQuoted ? "text behind a closing quote" : "a quote within a field that has none around it"
            throw BadLine(line: line, reason: "expected a comma or the end of the line, found \(found)")
        }
        return text
    }

    /// Everything up to the closing quote, which is taken too.
    private mutating func quotedContent() throws(BadLine) -> [UInt8] {
        let start = line
        var content: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == Self.quote, !take(Self.quote) { return content }
            if byte == Self.lineFeed { line += 1 }
            content.append(byte)
        }
        throw BadLine(line: start, reason: "expected a quote that closes the one that opens here")
    }

    private mutating func plainContent() -> [UInt8] {
        let start = position
        while !isAtEndOfField, bytes[position] != Self.quote { position += 1 }
        return Array(bytes[start..<position])
    }

    private var isAtEndOfField: Bool {
        position == bytes.count
            || [Self.comma, Self.carriageReturn, Self.lineFeed].contains(bytes[position])
    }

    /// Steps over a byte if it stands here.
    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }
}
