/// Work that can be done again and again, in the same time but for the machine's moods.
package protocol Benchmark {
    var cost: BenchmarkCost { get }

    /// Does the work once.
    mutating func run()
}

/// What one run of a benchmark takes and makes.
package struct BenchmarkCost: Sendable, Equatable {
    /// Floating-point operations by formula; 0 where none are counted.
    package let operations: Double
    /// Bytes of its parameters.
    package let weightBytes: Int
    /// What it makes, for a rate: samples, trajectories, bytes moved.
    package let yield: Double
    /// What the yield counts, in the plural.
    package let yieldUnit: String

    package init(operations: Double, weightBytes: Int, yield: Double, of yieldUnit: String) {
        self.operations = operations
        self.weightBytes = weightBytes
        self.yield = yield
        self.yieldUnit = yieldUnit
    }
}
