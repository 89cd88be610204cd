import FoundationEssentials
package import Tensors

/// What was measured, and of what: a row of a table and an object of JSON.
package struct BenchmarkReport: Sendable, Codable, Equatable {
    /// What was run.
    package struct Subject: Sendable, Codable, Equatable {
        /// The benchmark, with its mode if it has several.
        package var benchmark: String
        package var shape: String
        package var batch: Int
        package var pictureTokens: Int
        package var textTokens: Int
        package var lanes: Int
        package var precision: Precision

        package init(_ benchmark: String, _ shape: BenchmarkShape, lanes: Int, precision: Precision) {
            self.benchmark = benchmark
            self.shape = shape.name
            batch = shape.batch
            pictureTokens = shape.pictureTokens
            textTokens = shape.textTokens
            self.lanes = lanes
            self.precision = precision
        }
    }

    package let subject: Subject
    /// Of a run: the median, the fastest and the slowest.
    package let milliseconds: Double
    package let leastMilliseconds: Double
    package let greatestMilliseconds: Double
    /// Width of the middle half over the median.
    package let spread: Double
    /// Runs measured.
    package let count: Int
    /// 10⁹ floating-point operations of a run, by formula.
    package let gigaOperations: Double
    /// 10⁹ of them a second, at the median.
    package let gigaOperationsPerSecond: Double
    /// What one lane's best product reached in the same run.
    package let peakPerLane: Double
    /// Of all lanes' peak.
    package let shareOfPeak: Double
    /// What a second makes, at the median, and of what.
    package let rate: Double
    package let rateUnit: String
    /// The most memory the process had resident by the end of the measurement.
    package let peakMemoryBytes: Int
    package let weightBytes: Int

    package init(
        _ subject: Subject,
        _ measurement: Measurement,
        _ cost: BenchmarkCost,
        peak: MachinePeak,
        peakMemoryBytes: Int
    ) {
        let perSecond = cost.operations / measurement.median / 1e9
        self.subject = subject
        milliseconds = 1000 * measurement.median
        leastMilliseconds = 1000 * measurement.least
        greatestMilliseconds = 1000 * measurement.greatest
        spread = measurement.spread
        count = measurement.count
        gigaOperations = cost.operations / 1e9
        gigaOperationsPerSecond = perSecond
        peakPerLane = peak.operationsPerSecond / 1e9
        shareOfPeak = perSecond / (peakPerLane * Double(subject.lanes))
        rate = cost.yield / measurement.median
        rateUnit = cost.yieldUnit
        self.peakMemoryBytes = peakMemoryBytes
        weightBytes = cost.weightBytes
    }
}

extension [BenchmarkReport] {
    /// A JSON list on one line, keys in alphabetical order.
    package func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
