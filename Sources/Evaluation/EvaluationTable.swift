import Foundation

/// Evaluation rows laid out for people.
package struct EvaluationTable: Sendable {
    private static let header = ["method", "evaluations", "distance to teacher", "95 % interval"]

    /// Cells as text, a row each.
    private let cells: [[String]]

    package init(_ rows: [EvaluationRow]) {
        cells = rows.map { row in
            let distance = row.distanceToTeacher
            return [
                row.method,
                "\(row.functionEvaluations)",
                Self.number(distance.mean),
                "\(Self.number(distance.low)) … \(Self.number(distance.high))",
            ]
        }
    }

    /// Columns aligned with spaces, for a terminal: the first to the left, numbers to the right; lines end in
    /// a newline.
    package var plainText: String {
        let lines = [Self.header] + cells
        let widths = Self.header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line in
            let padded = line.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + padding : padding + cell
            }
            return padded.joined(separator: "  ") + "\n"
        }.joined()
    }

    /// A table in Markdown; lines end in a newline.
    package var markdown: String {
        let alignment = ["---"] + [String](repeating: "---:", count: Self.header.count - 1)
        return ([Self.header, alignment] + cells).map { line in
            let escaped = line.map { $0.replacingOccurrences(of: "|", with: "\\|") }
            return "| " + escaped.joined(separator: " | ") + " |\n"
        }.joined()
    }

    private static func number(_ value: Double) -> String { String(format: "%.4f", value) }
}
