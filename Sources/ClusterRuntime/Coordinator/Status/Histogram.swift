/// How often values fell into which range, as Prometheus counts them.
package struct Histogram: Codable, Sendable, Equatable {
    /// Upper ends of the ranges, inclusive and ascending; values above the last are in ``count`` alone.
    package let bounds: [Double]
    /// Values in each range, not cumulated.
    package private(set) var counts: [Int]
    /// All values.
    package private(set) var count = 0
    /// What the values add up to.
    package private(set) var sum = 0.0

    /// - Parameter bounds: ascending.
    package init(bounds: [Double]) {
        self.bounds = bounds
        counts = [Int](repeating: 0, count: bounds.count)
    }

    /// Counts a value; one that is not a number is no value.
    package mutating func add(_ value: Double) {
        guard !value.isNaN else { return }
        if let range = bounds.firstIndex(where: { value <= $0 }) { counts[range] += 1 }
        count += 1
        sum += value
    }

    /// Seconds of work on a batch or a round: a tenth of a second to ten minutes.
    static var ofWork: Histogram {
        Histogram(bounds: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 120, 300, 600])
    }

    /// Seconds that files and transactions take: half a millisecond to ten seconds.
    static var ofStorage: Histogram {
        Histogram(bounds: [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])
    }
}
