import ArgumentParser
import Benchmarks
import Foundation

/// `flowsteer benchmark sweep`.
struct SweepBenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Forwards against size: batches at the shape's tokens, then tokens at one sample."
    )

    @OptionGroup var options: BenchmarkOptions

    @Option(help: "Batches, separated by commas.")
    var batches = "1,2,4,8,16,32"

    @Option(help: "Picture tokens of a sample, separated by commas.")
    var tokenCounts = "64,128,256,512,1024,2048,4096"

    @Option(help: "Numbers of lanes, separated by commas; default: from one to --lanes.")
    var laneCounts: String?

    func validate() throws {
        guard options.batch == nil, options.tokens == nil, !options.turns else {
            throw ValidationError("--batch, --tokens and --turns: expected --batches and --token-counts")
        }
    }

    func run() throws {
        let setting = try options.setting()
        let lanes = try laneCounts.map { try Self.numbers($0, "--lane-counts") } ?? Array(1...setting.lanes)
        let shapes =
            try Self.numbers(batches, "--batches").map { setting.shape.with(batch: $0) }
            + Self.numbers(tokenCounts, "--token-counts").map {
                setting.shape.with(batch: 1).with(pictureTokens: $0)
            }
        var session = BenchmarkSession(options, setting)
        for laneCount in lanes {
            for shape in shapes {
                let cell = BenchmarkSetting(shape: shape, lanes: laneCount, precision: setting.precision)
                var benchmark = try BenchmarkSession.prepared {
                    try ForwardBenchmark(shape, precision: cell.precision, pool: cell.pool)
                }
                try session.measure("forward", &benchmark, cell)
            }
        }
        try session.finish()
    }

    private static func numbers(_ text: String, _ option: String) throws -> [Int] {
        let numbers = text.split(separator: ",").compactMap { Int($0) }
        guard !numbers.isEmpty, numbers.count == text.split(separator: ",").count,
            numbers.allSatisfy({ (1...65_536).contains($0) })
        else { throw ValidationError("\(option) is \(text): expected numbers from 1 to 65536") }
        return numbers
    }
}
