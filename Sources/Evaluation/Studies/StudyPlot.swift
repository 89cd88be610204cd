import Foundation
package import ImageFiles

/// A study's table as a picture: a panel a metric, a line a configuration, a whisker for the mean's 95 % interval.
///
/// Every seed is a pale dot, so that a wide interval can be told from one seed that went astray.
package struct StudyPlot {
    private static let textScale = 2
    private static let lineHeight = 30
    private static let panelWidth = 300
    private static let margin = 24
    private static let labelWidth = 420
    private static let head = 36
    private static let foot = 30

    private static let ink = Color(red: 0x1F, green: 0x4E, blue: 0x8C)
    private static let pale = Color(red: 0x9F, green: 0xBC, blue: 0xDD)
    private static let grid = Color(red: 0xDD, green: 0xDD, blue: 0xDD)

    private let rows: [StudyTable.Row]
    private let metrics: [String]
    private let labels: [Lettering]

    /// - Parameter metrics: one panel each, from left to right; those without a finite value are left out.
    package init(_ table: StudyTable, metrics: [String]) {
        rows = table.rows
        self.metrics = metrics.filter { metric in
            table.rows.contains { $0.statistics(of: metric)?.mean.isFinite == true }
        }
        labels = table.rows.map {
            Lettering(Self.ascii($0.label), width: Self.labelWidth, scale: Self.textScale)
        }
    }

    /// Black on white; nil of a table without numbers.
    package var picture: Picture? {
        guard !metrics.isEmpty else { return nil }
        let left = (labels.map(\.width).max() ?? 0) + 2 * Self.margin
        let width = left + metrics.count * (Self.panelWidth + Self.margin)
        var picture = Picture(width: width, height: bottom + Self.foot, filledWith: .white)
        for (row, label) in labels.enumerated() {
            picture.draw(label, x: Self.margin, y: middle(ofRow: row) - label.height / 2)
        }
        for (index, metric) in metrics.enumerated() {
            draw(metric, on: &picture, x: left + index * (Self.panelWidth + Self.margin))
        }
        return picture
    }
}

// MARK: - Layout

extension StudyPlot {
    /// The upper edge of each row, and the last one's lower edge; a label of several lines makes its row higher.
    private var rowTops: [Int] {
        labels.reduce(into: [Self.head]) { tops, label in
            tops.append((tops.last ?? 0) + max(Self.lineHeight, label.height + 10))
        }
    }

    private var bottom: Int { rowTops.last ?? Self.head }

    private func middle(ofRow row: Int) -> Int { (rowTops[row] + rowTops[row + 1]) / 2 }

    private func draw(_ metric: String, on picture: inout Picture, x left: Int) {
        let shown = rows.map { $0.statistics(of: metric).flatMap { $0.mean.isFinite ? $0 : nil } }
        let axis = PlotAxis(of: shown.compactMap(\.self).flatMap(\.extent))
        func x(_ value: Double) -> Int {
            left + 8 + Int((axis.share(of: value) * Double(Self.panelWidth - 16)).rounded())
        }
        let title = Lettering(Self.ascii(metric), width: Self.panelWidth, scale: Self.textScale)
        picture.draw(title, x: left, y: 8)
        for tick in axis.ticks {
            picture.fill(x: x(tick), y: Self.head, width: 1, height: bottom - Self.head, with: Self.grid)
            let text = Lettering(axis.text(of: tick), scale: Self.textScale)
            picture.draw(text, x: x(tick) - text.width / 2, y: bottom + 6)
        }
        for (row, statistics) in shown.enumerated() {
            guard let statistics else { continue }
            let y = middle(ofRow: row)
            for value in statistics.values where value.isFinite {
                picture.fill(x: x(value) - 2, y: y - 7, width: 4, height: 14, with: Self.pale)
            }
            if let margin = statistics.margin, margin.isFinite {
                let (low, high) = (x(statistics.mean - margin), x(statistics.mean + margin))
                picture.fill(x: low, y: y - 1, width: high - low + 1, height: 2, with: Self.ink)
                for end in [low, high] {
                    picture.fill(x: end, y: y - 5, width: 2, height: 10, with: Self.ink)
                }
            }
            picture.fill(x: x(statistics.mean) - 4, y: y - 4, width: 8, height: 8, with: Self.ink)
        }
    }

    /// The typeface has no other letters.
    private static func ascii(_ text: String) -> String {
        text.folding(options: .diacriticInsensitive, locale: nil)
    }
}

extension SeedStatistics {
    /// The least and the most that a plot shows of it.
    fileprivate var extent: [Double] {
        let reach = margin.flatMap { $0.isFinite ? $0 : nil } ?? 0
        return (values + [mean - reach, mean + reach]).filter(\.isFinite)
    }
}
