import Foundation

/// Cells laid out for people, a header above.
struct TextTable: Sendable {
    let header: [String]
    /// As many a row as the header has.
    let rows: [[String]]

    /// Columns aligned with spaces, for a terminal: the first to the left, numbers to the right; lines end in
    /// a newline.
    var plainText: String {
        let lines = [header] + rows
        let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line in
            let padded = line.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + padding : padding + cell
            }
            return padded.joined(separator: "  ") + "\n"
        }.joined()
    }

    /// A table in Markdown; lines end in a newline.
    var markdown: String {
        let alignment = ["---"] + [String](repeating: "---:", count: header.count - 1)
        return ([header, alignment] + rows).map { line in
            let escaped = line.map { $0.replacingOccurrences(of: "|", with: "\\|") }
            return "| " + escaped.joined(separator: " | ") + " |\n"
        }.joined()
    }

    /// A table in HTML, numbers to the right.
    var html: String {
        func line(_ cells: [String], _ tag: String) -> String {
            "<tr>" + cells.map { "<\(tag)>\(HTMLText.escaped($0))</\(tag)>" }.joined() + "</tr>\n"
        }
        return "<table>\n<thead>" + line(header, "th") + "</thead>\n<tbody>"
            + rows.map { line($0, "td") }.joined() + "</tbody>\n</table>\n"
    }
}
