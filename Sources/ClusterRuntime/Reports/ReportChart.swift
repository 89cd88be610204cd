import Evaluation
import Foundation

/// Pictures of numbers as SVG, for a page that has nothing but itself; the page's style colours them.
enum ReportChart {
    private static let width = 340.0
    private static let height = 150.0
    private static let (left, right, top, bottom) = (62.0, 10.0, 10.0, 24.0)

    /// One curve over rounds, a dot a round; infinite and undefined values are left out.
    ///
    /// - Parameter title: what a screen reader says in its place.
    static func curve(_ points: [(round: UInt64, value: Double)], title: String) -> String {
        let points = points.filter { $0.value.isFinite }.map { (x: Double($0.round), y: $0.value) }
        guard let lowest = points.map(\.y).min(), let highest = points.map(\.y).max(),
            let first = points.map(\.x).min(), let last = points.map(\.x).max()
        else { return "" }
        // A change of less than a hundredth looks like one.
        let air = max((highest - lowest) * 0.08, max(abs(lowest), abs(highest)) * 0.01, 1e-9)
        let (low, high) = (lowest - air, highest + air)
        func x(_ value: Double) -> Double {
            left + (width - left - right) * (last > first ? (value - first) / (last - first) : 0.5)
        }
        func y(_ value: Double) -> Double {
            top + (height - top - bottom) * (1 - (value - low) / (high - low))
        }
        let isFlat = highest - lowest < 2 * air
        let grid = (isFlat ? [highest] : [lowest, (lowest + highest) / 2, highest]).map { level in
            line(left, y(level), width - right, y(level), "grid")
                + text(left - 6, y(level) + 4, ReportNumber.short(level), "end")
        }
        let path = points.enumerated().map { index, point in
            "\(index == 0 ? "M" : "L")\(place(x(point.x))) \(place(y(point.y)))"
        }
        let dots = points.map { #"<circle cx="\#(place(x($0.x)))" cy="\#(place(y($0.y)))" r="2.5"/>"# }
        let ends =
            text(x(first), height - 6, String(format: "%.0f", first), "middle")
            + (last > first ? text(x(last), height - 6, String(format: "%.0f", last), "middle") : "")
        return frame(height, title, grid.joined() + ends + "<path d=\"\(path.joined())\"/>" + dots.joined())
    }

    /// A bar a method from zero to its mean, with the interval as a whisker.
    static func bars(_ rows: [(name: String, mean: Double, low: Double, high: Double)], title: String)
        -> String
    {
        let rows = rows.filter { $0.mean.isFinite && $0.low.isFinite && $0.high.isFinite }
        guard let longest = rows.map(\.high).max(), longest > 0 else { return "" }
        let (step, whole) = (40.0, 440.0)
        func x(_ value: Double) -> Double { (whole - 60) * max(0, value) / longest }
        let drawn = rows.enumerated().map { index, row in
            let (top, middle) = (step * Double(index), step * Double(index) + 27)
            return [
                text(0, top + 13, row.name, "start"),
                bar(top + 19, 16, x(row.mean)),
                line(x(row.low), middle, x(row.high), middle, "whisker"),
                line(x(row.low), middle - 4, x(row.low), middle + 4, "whisker"),
                line(x(row.high), middle - 4, x(row.high), middle + 4, "whisker"),
                text(x(row.high) + 8, middle + 4, ReportNumber.short(row.mean), "start"),
            ].joined()
        }
        return frame(step * Double(rows.count), title, drawn.joined(), width: whole)
    }

    private static func bar(_ y: Double, _ height: Double, _ width: Double) -> String {
        #"<rect x="0" y="\#(place(y))" width="\#(place(width))" height="\#(place(height))"/>"#
    }

    private static func frame(_ height: Double, _ title: String, _ body: String, width: Double = width)
        -> String
    {
        let title = HTMLText.escaped(title)
        return
            #"<svg viewBox="0 0 \#(Int(width)) \#(Int(height))" role="img" aria-label="\#(title)">\#(body)</svg>"#
    }

    private static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String)
        -> String
    {
        #"<line class="\#(style)" x1="\#(place(x1))" y1="\#(place(y1))" x2="\#(place(x2))" y2="\#(place(y2))"/>"#
    }

    private static func text(_ x: Double, _ y: Double, _ text: String, _ anchor: String) -> String {
        #"<text x="\#(place(x))" y="\#(place(y))" text-anchor="\#(anchor)">\#(HTMLText.escaped(text))</text>"#
    }

    private static func place(_ value: Double) -> String { String(format: "%.1f", value) }
}
