/// A figure over the seeds of a study.
package struct SeedStatistics: Codable, Sendable, Hashable {
    /// One a seed, in their order.
    package let values: [Double]
    package let mean: Double
    /// Half the width of the mean's 95 % interval: t·s/√n, with t of Student's distribution with n − 1 degrees of
    /// freedom and s the standard deviation; nil of one seed, which says nothing of others.
    package let margin: Double?

    /// - Parameter values: one or more.
    package init(of values: [Double]) {
        precondition(!values.isEmpty, "statistics are of one seed or more")
        self.values = values
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        self.mean = mean
        guard values.count > 1 else {
            margin = nil
            return
        }
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
        let bound = StudentDistribution.bound(ofShare: 0.95, degrees: values.count - 1)
        margin = bound * (variance / count).squareRoot()
    }
}
