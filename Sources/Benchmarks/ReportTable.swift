import Tensors

/// Reports laid out for people, a row each.
package struct ReportTable: Sendable {
    private static let header = [
        "benchmark", "shape", "batch", "tokens", "lanes", "precision", "ms", "least … greatest", "GFLOP",
        "GFLOP/s", "of peak", "a second",
    ]
    /// Columns of words; numbers stand to the right.
    private static let wordColumns = 2

    private let reports: [BenchmarkReport]

    package init(_ reports: [BenchmarkReport]) { self.reports = reports }

    /// The rows, then memory and the machine's peak; lines end in a newline.
    package var text: String {
        let lines = [Self.header] + reports.map(Self.cells)
        let widths = Self.header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        let table = lines.map { line in
            let padded = line.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return column < Self.wordColumns ? cell + padding : padding + cell
            }
            return padded.joined(separator: "  ") + "\n"
        }
        return table.joined() + footer
    }

    private var footer: String {
        guard let last = reports.last else { return "" }
        let memory = Self.decimal(Double(last.peakMemoryBytes) / 1e6, places: 0)
        let weights = Self.decimal(Double(last.weightBytes) / 1e6, places: 1)
        let peak = Self.decimal(last.peakPerLane, places: 1)
        return "peak memory \(memory) MB, weights \(weights) MB; one lane's best product \(peak) GFLOP/s\n"
    }

    private static func cells(of report: BenchmarkReport) -> [String] {
        let subject = report.subject
        let counts = report.gigaOperations > 0
        return [
            subject.benchmark, subject.shape, "\(subject.batch)",
            "\(subject.pictureTokens) + \(subject.textTokens)", "\(subject.lanes)",
            subject.precision.rawValue, decimal(report.milliseconds),
            "\(decimal(report.leastMilliseconds)) … \(decimal(report.greatestMilliseconds))",
            counts ? decimal(report.gigaOperations) : "",
            counts ? decimal(report.gigaOperationsPerSecond, places: 1) : "",
            counts ? decimal(100 * report.shareOfPeak, places: 0) + " %" : "",
            "\(decimal(report.rate)) \(report.rateUnit)",
        ]
    }

    /// A number with as many places as make three digits or more, or with those asked for.
    static func decimal(_ value: Double, places: Int? = nil) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        let places = places ?? (abs(value) < 1 ? 3 : abs(value) < 10 ? 2 : abs(value) < 1000 ? 1 : 0)
        let scale = (0..<places).reduce(1) { scale, _ in 10 * scale }
        let scaled = Int((abs(value) * Double(scale)).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard places > 0 else { return "\(sign)\(scaled)" }
        let digits = "\(scaled % scale)"
        return "\(sign)\(scaled / scale)." + String(repeating: "0", count: places - digits.count) + digits
    }
}
