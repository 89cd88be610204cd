import ArgumentParser
import Benchmarks
import Foundation
import Tensors

/// What all benchmarks can be told.
struct BenchmarkOptions: ParsableArguments {
    @Option(help: "emoji, tiny, small or sd3-block.")
    var shape = BenchmarkShape.tiny

    @Option(help: "Samples computed together; default: the shape's.")
    var batch: Int?

    @Option(help: "Picture tokens of a sample; default: the shape's.")
    var tokens: Int?

    @Option(help: "Threads that compute; default: one a core.")
    var lanes = ProcessInfo.processInfo.activeProcessorCount

    @Option(help: "fp32 or bf16, of frozen weights and their products.")
    var precision = Precision.float32

    @Option(help: "Least number of measured runs.")
    var repetitions = 5

    @Option(help: "Seconds of measured runs, beyond which only --repetitions are made.")
    var budget = 3.0

    @Flag(help: "Prints a JSON list instead of a table.")
    var json = false

    @Flag(help: "Makes one run for every line read, and says how long it took; reports at the end of input.")
    var turns = false

    func validate() throws {
        try Self.check(batch, "--batch", in: 1...65_536)
        try Self.check(tokens, "--tokens", in: 1...65_536)
        try Self.check(lanes, "--lanes", in: 1...1024)
        try Self.check(repetitions, "--repetitions", in: 1...100_000)
        guard budget.isFinite, budget >= 0 else {
            throw ValidationError("--budget is \(budget): expected seconds, 0 or more")
        }
    }

    private static func check(_ value: Int?, _ option: String, in range: ClosedRange<Int>) throws {
        guard let value, !range.contains(value) else { return }
        throw ValidationError(
            "\(option) is \(value): expected \(range.lowerBound) to \(range.upperBound)"
        )
    }

    /// Shape, lanes and precision as asked for.
    ///
    /// - Parameter only: the one precision of a benchmark that has no choice.
    func setting(for only: Precision? = nil) throws -> BenchmarkSetting {
        if let only, precision != only {
            throw ValidationError("--precision is \(precision.rawValue): expected \(only.rawValue)")
        }
        var shape = shape
        if let batch { shape = shape.with(batch: batch) }
        if let tokens { shape = shape.with(pictureTokens: tokens) }
        return BenchmarkSetting(shape: shape, lanes: lanes, precision: precision)
    }

    /// Prepares one benchmark, measures it and prints the result.
    func report(
        _ name: String,
        _ setting: BenchmarkSetting,
        _ prepare: () throws -> some Benchmark
    ) throws {
        var session = BenchmarkSession(self, setting)
        var benchmark = try BenchmarkSession.prepared(prepare)
        try session.measure(name, &benchmark)
        try session.finish()
    }
}

/// What a benchmark runs on.
struct BenchmarkSetting {
    var shape: BenchmarkShape
    let lanes: Int
    let precision: Precision
    let pool: LanePool

    init(shape: BenchmarkShape, lanes: Int, precision: Precision) {
        self.shape = shape
        self.lanes = lanes
        self.precision = precision
        pool = LanePool(count: lanes)
    }
}

extension BenchmarkShape: ExpressibleByArgument {
    public init?(argument: String) {
        guard let shape = BenchmarkShape.named(argument) else { return nil }
        self = shape
    }

    public var defaultValueDescription: String { name }

    public static var allValueStrings: [String] { all.map(\.name) }
}

extension Precision: ExpressibleByArgument {}
