/// How long the runs of a benchmark took.
package struct Measurement: Sendable, Equatable {
    /// Ascending; at least one.
    private let seconds: [Double]

    package init(seconds: [Double]) {
        precondition(!seconds.isEmpty, "a measurement has at least one run")
        self.seconds = seconds.sorted()
    }

    /// Runs measured.
    package var count: Int { seconds.count }
    /// Seconds of the fastest run.
    package var least: Double { seconds[0] }
    /// Seconds of the slowest run.
    package var greatest: Double { seconds[seconds.count - 1] }
    /// Seconds of the run in the middle, the mean of two where there are two.
    package var median: Double { (seconds[(count - 1) / 2] + seconds[count / 2]) / 2 }
    /// Width of the middle half over the median: 0 for runs that all took the same time.
    package var spread: Double { (quantile(0.75) - quantile(0.25)) / median }

    /// Linearly between the runs on both sides.
    private func quantile(_ part: Double) -> Double {
        let place = part * Double(count - 1)
        let below = Int(place)
        let above = min(below + 1, count - 1)
        return seconds[below] + (place - Double(below)) * (seconds[above] - seconds[below])
    }
}

/// How often a benchmark is run.
package struct MeasurementPlan: Sendable {
    /// Runs that are not counted: they fault memory in, and arenas find their size.
    package var warmUpCount = 2
    /// Least number of measured runs.
    package var leastCount = 5
    package var greatestCount = 100
    /// Time for measured runs; those of ``leastCount`` are made even beyond it.
    package var budget = Duration.seconds(3)

    package init() {}

    /// Runs the benchmark to this plan.
    package func measure(_ benchmark: inout some Benchmark) -> Measurement {
        let clock = ContinuousClock()
        for _ in 0..<warmUpCount { benchmark.run() }
        let start = clock.now
        var seconds: [Double] = []
        while seconds.count < leastCount
            || (seconds.count < greatestCount && clock.now - start < budget)
        {
            seconds.append(Self.time(&benchmark, clock))
        }
        return Measurement(seconds: seconds)
    }

    /// Seconds of one run.
    package static func time(
        _ benchmark: inout some Benchmark,
        _ clock: ContinuousClock = ContinuousClock()
    ) -> Double {
        clock.measure { benchmark.run() } / .seconds(1)
    }
}
