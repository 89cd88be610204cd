package import Tensors

/// How far two samplers end from one another when they start from the same noise.
package enum PairedDistance {
    /// The root mean square distance of every pair of samples, √(mean (x − y)²) over a sample's elements.
    ///
    /// - Parameters:
    ///   - x: `[samples, channels, height, width]`, as is `y`; row i of one belongs to row i of the other.
    /// - Returns: one distance a sample, in units of model space.
    package static func perSample(_ x: Tensor, _ y: Tensor) -> [Double] {
        precondition(
            x.shape == y.shape && x.shape.count >= 2,
            "paired batches have one shape, got \(x.shape) and \(y.shape)"
        )
        return (0..<x.shape[0]).map { index in
            let row = x.row(index)
            return (row.squaredDistance(to: y.row(index)) / Double(row.count)).squareRoot()
        }
    }
}

/// The mean of some distances with its 95 % interval.
package struct DistanceStatistics: Codable, Sendable, Hashable {
    package let mean: Double
    package let low: Double
    package let high: Double

    /// Mean and interval of independent samples, at least one.
    ///
    /// The interval is the normal approximation mean ± 1.96·s/√n, with s the standard deviation of n − 1
    /// degrees of freedom; good from some thirty samples on. One sample has an interval of no width.
    package init(of samples: [Double]) {
        precondition(!samples.isEmpty, "statistics are of one sample or more")
        let count = Double(samples.count)
        let mean = samples.reduce(0, +) / count
        let squares = samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let deviation = (squares / max(1, count - 1)).squareRoot()
        let margin = 1.96 * deviation / count.squareRoot()
        self.init(mean: mean, low: mean - margin, high: mean + margin)
    }

    /// Statistics made elsewhere.
    package init(mean: Double, low: Double, high: Double) {
        self.mean = mean
        self.low = low
        self.high = high
    }
}
