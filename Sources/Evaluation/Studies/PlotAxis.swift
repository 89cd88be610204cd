import Foundation

/// An axis over finite values: its bounds, and round numbers between them.
struct PlotAxis {
    let low: Double
    let high: Double
    /// 2 to 5 multiples of 1, 2 or 5 times a power of ten, rising.
    let ticks: [Double]
    private let step: Double

    /// - Parameter values: one or more.
    init(of values: [Double]) {
        precondition(!values.isEmpty, "an axis is of one value or more")
        let (least, most) = (values.min() ?? 0, values.max() ?? 0)
        let middle = (least + most) / 2
        // Values that are all the same stand in the middle.
        let span = most > least ? most - least : max(abs(middle), 1e-9)
        (low, high) = (middle - 0.54 * span, middle + 0.54 * span)
        let width = high - low
        let power = pow(10, floor(log10(width / 2)))
        let step = [5, 2, 1].map { $0 * power }.first { width / $0 >= 2 } ?? power
        ticks = stride(from: ceil(low / step), through: floor(high / step), by: 1).map { $0 * step }
        self.step = step
    }

    /// Where a value is between the bounds, 0 … 1.
    func share(of value: Double) -> Double { (value - low) / (high - low) }

    /// A tick with as many places as the steps between ticks need.
    func text(of tick: Double) -> String {
        guard step < 10_000, step >= 1e-4 else { return String(format: "%.3g", tick) }
        let places = max(0, Int(-floor(log10(step) + 1e-9)))
        return String(format: "%.\(places)f", tick == 0 ? 0 : tick)
    }
}
