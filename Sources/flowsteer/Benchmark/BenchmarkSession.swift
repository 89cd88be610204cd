import ArgumentParser
import Benchmarks
import ClusterRuntime

/// The measurements of one command, printed together at its end.
struct BenchmarkSession {
    /// A measurement that still lacks the machine's peak.
    private struct Measured {
        let subject: BenchmarkReport.Subject
        let measurement: Measurement
        let cost: BenchmarkCost
        let peakMemoryBytes: Int
    }

    private let options: BenchmarkOptions
    private let setting: BenchmarkSetting
    private var measured: [Measured] = []

    init(_ options: BenchmarkOptions, _ setting: BenchmarkSetting) {
        self.options = options
        self.setting = setting
    }

    /// A benchmark made by `prepare`; what cannot be run as asked is a mistake of the command line.
    static func prepared<Prepared: Benchmark>(_ prepare: () throws -> Prepared) throws -> Prepared {
        do {
            return try prepare()
        } catch let error as BenchmarkError {
            throw ValidationError("\(error)")
        }
    }

    /// Measures a benchmark, by itself or in turns with another process.
    ///
    /// - Parameter setting: where it is not that of the session.
    mutating func measure(
        _ name: String,
        _ benchmark: inout some Benchmark,
        _ setting: BenchmarkSetting? = nil
    ) throws {
        let setting = setting ?? self.setting
        var plan = MeasurementPlan()
        plan.leastCount = options.repetitions
        plan.budget = .seconds(options.budget)
        let measurement = options.turns ? Self.takeTurns(&benchmark, plan) : plan.measure(&benchmark)
        guard let measurement else { return }
        measured.append(
            Measured(
                subject: BenchmarkReport.Subject(
                    name,
                    setting.shape,
                    lanes: setting.lanes,
                    precision: setting.precision
                ),
                measurement: measurement,
                cost: benchmark.cost,
                peakMemoryBytes: peakMemoryByteCount()
            )
        )
    }

    /// Measures the machine's peak, last because it takes memory, and prints all reports.
    func finish() throws {
        let peak = try MachinePeak.measured(precision: setting.precision)
        let reports = measured.map {
            BenchmarkReport(
                $0.subject,
                $0.measurement,
                $0.cost,
                peak: peak,
                peakMemoryBytes: $0.peakMemoryBytes
            )
        }
        say(options.json || options.turns ? try reports.json() : ReportTable(reports).text)
    }

    /// One run a line of standard input, each answered with its milliseconds; nil when there was no line.
    private static func takeTurns(
        _ benchmark: inout some Benchmark,
        _ plan: MeasurementPlan
    ) -> Measurement? {
        for _ in 0..<plan.warmUpCount { benchmark.run() }
        say("{\"ready\":true}")
        var seconds: [Double] = []
        while readLine() != nil {
            seconds.append(MeasurementPlan.time(&benchmark))
            say("{\"milliseconds\":\(1000 * seconds[seconds.count - 1])}")
        }
        return seconds.isEmpty ? nil : Measurement(seconds: seconds)
    }
}
