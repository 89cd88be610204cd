import Foundation

/// A curve of bounded length: when it is full, neighbours become their mean and each later point stands for more.
struct DecimatedSeries: Sendable, Equatable {
    /// Values at one place; a name that is missing was not measured there.
    struct Point: Sendable, Equatable {
        var x: Double
        var values: [String: Double]
    }

    /// Sums of points, by name.
    private struct Sums: Sendable, Equatable {
        var count = 0
        var x = 0.0
        var sums: [String: (sum: Double, count: Int)] = [:]

        mutating func add(_ point: Point) {
            count += 1
            x += point.x
            for (name, value) in point.values where value.isFinite {
                let former = sums[name] ?? (0, 0)
                sums[name] = (former.sum + value, former.count + 1)
            }
        }

        var mean: Point {
            Point(x: x / Double(max(1, count)), values: sums.mapValues { $0.sum / Double($0.count) })
        }

        static func == (left: Self, right: Self) -> Bool {
            left.mean == right.mean && left.count == right.count
        }
    }

    /// The most points it holds; even, so that all of them pair.
    let capacity: Int
    /// Measurements that make one point.
    private(set) var stride = 1
    private var full: [Point] = []
    private var open = Sums()

    /// - Parameter capacity: the most points, 2 or more.
    init(capacity: Int) {
        precondition(capacity >= 2 && capacity.isMultiple(of: 2), "points pair: expected an even capacity")
        self.capacity = capacity
    }

    /// The curve, the unfinished last point included.
    var points: [Point] { open.count == 0 ? full : full + [open.mean] }

    /// Adds a measurement; numbers that are not finite are left out.
    mutating func add(_ point: Point) {
        open.add(point)
        guard open.count == stride else { return }
        full.append(open.mean)
        open = Sums()
        guard full.count == capacity else { return }
        full = Swift.stride(from: 0, to: capacity, by: 2).map { index in
            var pair = Sums()
            pair.add(full[index])
            pair.add(full[index + 1])
            return pair.mean
        }
        stride *= 2
    }
}

/// A curve as the page reads it: one array a name, with nil where it was not measured.
struct SeriesColumns: Sendable, Equatable, Encodable {
    let x: [Double]
    let values: [String: [Double?]]

    init(_ series: DecimatedSeries) {
        let points = series.points
        // Tenths of a second.
        x = points.map { ($0.x * 10).rounded() / 10 }
        let names = Set(points.flatMap(\.values.keys))
        values = Dictionary(
            uniqueKeysWithValues: names.map { name in (name, points.map { $0.values[name].map(Self.short) }) }
        )
    }

    /// Five digits that count: more than a curve shows.
    private static func short(_ number: Double) -> Double {
        guard number != 0, number.isFinite else { return 0 }
        let scale = pow(10, 4 - number.magnitude.exponent10)
        return scale.isFinite && scale > 0 ? (number * scale).rounded() / scale : number
    }
}

extension Double {
    /// The power of ten of the first digit that counts.
    fileprivate var exponent10: Double { log10(self).rounded(.down) }
}
