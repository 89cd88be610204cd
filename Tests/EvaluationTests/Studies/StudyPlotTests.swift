import ImageFiles
import Testing

@testable import Evaluation

struct StudyPlotTests {
    private let whisker = Color(red: 0x1F, green: 0x4E, blue: 0x8C)
    private let seed = Color(red: 0x9F, green: 0xBC, blue: 0xDD)

    private func table(_ rows: [(String, [Double])]) -> StudyTable {
        StudyTable(
            rows.flatMap { label, values in
                values.enumerated().map { index, value in
                    StudyCell(row: label, seed: UInt64(index), figures: [.init("score", value)])
                }
            }
        )
    }

    /// Of the pixels of a colour: how many, and from which to which column.
    private func extent(_ color: Color, of picture: Picture) -> (count: Int, columns: ClosedRange<Int>)? {
        var columns: [Int] = []
        for y in 0..<picture.height {
            for x in 0..<picture.width where picture[x, y] == color { columns.append(x) }
        }
        guard let first = columns.min(), let last = columns.max() else { return nil }
        return (columns.count, first...last)
    }

    @Test func `a wider interval has a longer whisker, around the same mean`() throws {
        let alone = try #require(StudyPlot(table([("a", [0.5])]), metrics: ["score"]).picture)
        let point = try #require(extent(whisker, of: alone))
        #expect(point.columns.count == 8 && point.count == 64, "one seed has no interval")

        let rows = [("narrow", [0.49, 0.5, 0.51]), ("wide", [0.4, 0.5, 0.6])]
        let both = try #require(StudyPlot(table(rows), metrics: ["score"]).picture)
        let narrow = try #require(extent(whisker, of: half(both, isUpper: true))).columns
        let wide = try #require(extent(whisker, of: half(both, isUpper: false))).columns
        #expect(narrow.count > point.columns.count && wide.count > 5 * narrow.count)
        #expect(abs(wide.lowerBound + wide.upperBound - narrow.lowerBound - narrow.upperBound) <= 2)
        #expect(extent(seed, of: both) != nil, "seeds are seen one by one")
    }

    /// The upper or lower of two equally high rows.
    private func half(_ picture: Picture, isUpper: Bool) -> Picture {
        let (top, height) = (36, 30)
        var part = Picture(width: picture.width, height: height, filledWith: .white)
        part.draw(picture, x: 0, y: -(isUpper ? top : top + height))
        return part
    }

    @Test func `a metric without a finite value has no panel, and a table without one no plot`() {
        #expect(StudyPlot(table([("a", [.nan, .infinity])]), metrics: ["score"]).picture == nil)
        #expect(StudyPlot(table([("a", [1])]), metrics: ["weather"]).picture == nil)
    }

    @Test func `ticks are round numbers between the bounds`() {
        for values in [[0.0, 1], [0.42, 0.58], [-3, 1200], [7.913], [0, 0], [1e-5, 3e-5]] {
            let axis = PlotAxis(of: values)
            #expect((2...5).contains(axis.ticks.count), "\(values): \(axis.ticks)")
            #expect(axis.ticks.allSatisfy { axis.low <= $0 && $0 <= axis.high })
            #expect(values.allSatisfy { axis.low < $0 && $0 < axis.high })
        }
        let axis = PlotAxis(of: [0.42, 0.58])
        #expect(axis.ticks.map(axis.text) == ["0.45", "0.50", "0.55"])
    }
}
