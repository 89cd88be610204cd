import Foundation

/// A study's cells put together: a row a configuration, a column a metric, over seeds.
package struct StudyTable: Codable, Sendable, Equatable {
    package struct Row: Codable, Sendable, Equatable {
        package let label: String
        package let figures: [Figure]
    }

    package struct Figure: Codable, Sendable, Equatable {
        package let metric: String
        package let statistics: SeedStatistics
    }

    package let rows: [Row]

    /// Rows and metrics stand in the order of their first cell.
    package init(_ cells: [StudyCell]) {
        rows = Self.unique(cells.map(\.row)).map { label in
            let figures = cells.filter { $0.row == label }.flatMap(\.figures)
            return Row(
                label: label,
                figures: Self.unique(figures.map(\.metric)).map { metric in
                    let values = figures.filter { $0.metric == metric }.map(\.value)
                    return Figure(metric: metric, statistics: SeedStatistics(of: values))
                }
            )
        }
    }

    /// Every figure as mean ± half the interval's width; lines end in a newline.
    package var markdown: String { table.markdown }

    /// The same, for a terminal.
    package var plainText: String { table.plainText }

    private var table: TextTable {
        let metrics = Self.unique(rows.flatMap { $0.figures.map(\.metric) })
        return TextTable(
            header: ["configuration"] + metrics,
            rows: rows.map { row in
                let cells = metrics.map { metric in
                    row.figures.first { $0.metric == metric }.map { $0.statistics.text } ?? ""
                }
                return [row.label] + cells
            }
        )
    }

    private static func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }
}

extension SeedStatistics {
    /// Three places; a whole number that every seed agrees on stands as it is.
    fileprivate var text: String {
        if values.allSatisfy({ $0 == mean }), mean == mean.rounded() { return String(format: "%.0f", mean) }
        let number = String(format: "%.3f", mean)
        return margin.map { number + String(format: " ± %.3f", $0) } ?? number
    }
}
