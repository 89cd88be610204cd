import Foundation

/// A study's cells put together: a row a configuration, a column a metric, over seeds.
package struct StudyTable: Codable, Sendable, Equatable {
    package struct Row: Codable, Sendable, Equatable {
        package let label: String
        package let figures: [Figure]

        /// Of a metric; nil where it was not measured.
        package func statistics(of metric: String) -> SeedStatistics? {
            figures.first { $0.metric == metric }?.statistics
        }
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

    /// What was measured of any row, in order.
    package var metrics: [String] { Self.unique(rows.flatMap { $0.figures.map(\.metric) }) }

    /// Every figure as mean ± half the interval's width, in a table a group of metrics; lines end in a newline.
    package var markdown: String { tables.map(\.markdown).joined(separator: "\n") }

    /// The same, for a terminal.
    package var plainText: String { tables.map(\.plainText).joined(separator: "\n") }

    /// One of what is said of pictures, one of the scene score's tasks, and one of training, of those there are.
    private var tables: [TextTable] {
        let groups = [MetricGroup.whole, .task, .training]
        return groups.compactMap { group in
            let metrics = metrics.filter { MetricGroup(of: $0) == group }
            let rows = rows.filter { row in metrics.contains { row.statistics(of: $0) != nil } }
            guard !rows.isEmpty else { return nil }
            return TextTable(
                header: ["configuration"] + metrics,
                rows: rows.map { row in
                    [row.label] + metrics.map { row.statistics(of: $0).map(\.text) ?? "" }
                }
            )
        }
    }

    private static func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }
}

/// Which of a study's tables a metric stands in.
private enum MetricGroup {
    case whole
    case task
    case training

    init(of metric: String) {
        self =
            if metric.hasPrefix(StudyCell.Figure.trainingPrefix) {
                .training
            } else if SceneTask(rawValue: metric) != nil {
                .task
            } else {
                .whole
            }
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
