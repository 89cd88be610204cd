import Benchmarks
import Testing

@Suite struct MeasurementTests {
    @Test func `the median is the run in the middle, or the mean of two`() {
        #expect(Measurement(seconds: [5, 1, 3]).median == 3)
        #expect(Measurement(seconds: [4, 1, 3, 2]).median == 2.5)
        #expect(Measurement(seconds: [7]).median == 7)
    }

    @Test func `least, greatest and count are those of all runs`() {
        let measurement = Measurement(seconds: [5, 1, 3, 9])
        #expect(measurement.least == 1)
        #expect(measurement.greatest == 9)
        #expect(measurement.count == 4)
    }

    @Test func `the spread is the width of the middle half over the median`() {
        #expect(Measurement(seconds: [4, 2, 1, 3, 5]).spread == (4.0 - 2) / 3)
        #expect(Measurement(seconds: [1, 2, 3, 4]).spread == (3.25 - 1.75) / 2.5)
        #expect(Measurement(seconds: [2, 2, 2]).spread == 0)
    }

    /// Counts how often it was run.
    private struct Tally: Benchmark {
        let cost = BenchmarkCost(operations: 0, weightBytes: 0, yield: 1, of: "runs")
        var runs = 0
        mutating func run() { runs += 1 }
    }

    @Test func `without time left, the least number of runs is made after the warm-up`() {
        var plan = MeasurementPlan()
        plan.warmUpCount = 3
        plan.leastCount = 4
        plan.budget = .zero
        var tally = Tally()
        #expect(plan.measure(&tally).count == 4)
        #expect(tally.runs == 7)
    }

    @Test func `with time left, no more than the greatest number of runs is made`() {
        var plan = MeasurementPlan()
        plan.greatestCount = 6
        plan.budget = .seconds(3600)
        var tally = Tally()
        #expect(plan.measure(&tally).count == 6)
    }
}
