import ClusterRuntime

/// Metrics of one name, as Prometheus reads them.
struct MetricFamily: Sendable, Equatable {
    /// What a number means.
    enum Kind: String, Sendable {
        /// It only rises, and starts again at zero with the process.
        case counter
        /// It goes up and down.
        case gauge
        case histogram
    }

    /// Names and values that tell numbers of one family apart.
    typealias Labels = [(name: String, value: String)]

    /// One number, or one histogram.
    enum Value: Sendable, Equatable {
        case number(Double)
        case histogram(Histogram)
    }

    private struct Sample: Sendable, Equatable {
        let labels: String
        let value: Value
    }

    let name: String
    let kind: Kind
    let help: String
    private var samples: [Sample] = []

    init(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        self.kind = kind
        self.help = help
    }

    /// A family of one number without labels; of none where there is none.
    init(_ name: String, _ kind: Kind, _ help: String, _ value: Double?) {
        self.init(name, kind, help)
        if let value { add([], value) }
    }

    /// A family of one histogram without labels.
    init(_ name: String, _ help: String, _ histogram: Histogram) {
        self.init(name, .histogram, help)
        add([], histogram)
    }

    mutating func add(_ labels: Labels, _ value: Double) {
        samples.append(Sample(labels: PrometheusText.labels(labels), value: .number(value)))
    }

    mutating func add(_ labels: Labels, _ histogram: Histogram) {
        samples.append(Sample(labels: PrometheusText.labels(labels), value: .histogram(histogram)))
    }

    /// Its lines of the text format.
    fileprivate var lines: [String] {
        ["# HELP \(name) \(PrometheusText.escaped(help))", "# TYPE \(name) \(kind.rawValue)"]
            + samples.flatMap { sample in
                switch sample.value {
                case .number(let number): [line("", sample.labels, number)]
                case .histogram(let histogram): lines(sample.labels, histogram)
                }
            }
    }

    private func lines(_ labels: String, _ histogram: Histogram) -> [String] {
        var (below, lines) = (0, [String]())
        for (bound, count) in zip(histogram.bounds, histogram.counts) {
            below += count
            lines.append(bucket(labels, PrometheusText.text(bound), below))
        }
        return lines + [
            bucket(labels, "+Inf", histogram.count), line("_sum", labels, histogram.sum),
            line("_count", labels, Double(histogram.count)),
        ]
    }

    private func bucket(_ labels: String, _ bound: String, _ count: Int) -> String {
        line("_bucket", labels + (labels.isEmpty ? "" : ",") + "le=\"\(bound)\"", Double(count))
    }

    private func line(_ suffix: String, _ labels: String, _ value: Double) -> String {
        "\(name)\(suffix)\(labels.isEmpty ? "" : "{\(labels)}") \(PrometheusText.text(value))"
    }
}

/// Prometheus's text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
enum PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// All families, each with its help and type; a family without a number is left out.
    static func render(_ families: [MetricFamily]) -> String {
        families.map(\.lines).filter { $0.count > 2 }.flatMap(\.self).map { $0 + "\n" }.joined()
    }

    fileprivate static func labels(_ labels: MetricFamily.Labels) -> String {
        labels.map { "\($0.name)=\"\(escaped($0.value).replacing("\"", with: "\\\""))\"" }
            .joined(separator: ",")
    }

    fileprivate static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    }

    fileprivate static func text(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Inf" : "+Inf" }
        let isWhole = number == number.rounded() && number.magnitude < 1e15
        return isWhole ? String(Int64(number)) : String(number)
    }
}
