import ArgumentParser
import ClusterRuntime
import Foundation

/// `flowsteer benchmark cluster`.
struct ClusterBenchmarkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract:
            "Measures the cluster itself: one coordinator's leases, trajectories on the wire, stalled peers.",
        subcommands: [LeaseBenchmarkCommand.self, TransferBenchmarkCommand.self, StallBenchmarkCommand.self]
    )
}

/// `flowsteer benchmark cluster leases`.
struct LeaseBenchmarkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leases",
        abstract: "One real coordinator with many workers that compute nothing.",
        discussion: """
            The coordinator is a process of its own with its ledger and its encrypted sockets; every worker has its own \
            key and connection. They go as fast as they can, then at one batch a rollout in --batch-seconds.
            """
    )

    @Option(help: "Workers, trainers included.")
    var workers = 500

    @Option(help: "Trainers.")
    var trainers = 16

    @Option(help: "Batches a trainer uses in a round.")
    var batches = 50

    @Option(help: "Seconds of each of the two measurements.")
    var seconds = 10.0

    @Option(help: "Seconds a rollout takes for a batch in the second one.")
    var batchSeconds = 1.0

    @Option(help: "The teacher's folder, whose student the rounds average.")
    var model = "Cluster/teacher/emoji-scenes"

    @Flag(help: "Prints JSON instead of lines for people.")
    var json = false

    func validate() throws {
        guard (2...100_000).contains(workers), (1..<workers).contains(trainers) else {
            throw ValidationError(
                "--workers is \(workers), \(trainers) of them by --trainers: expected a trainer and a rollout at least"
            )
        }
        guard (1...100_000).contains(batches) else {
            throw ValidationError("--batches is \(batches): expected 1 to 100000")
        }
        guard seconds > 0, seconds <= 3600, batchSeconds > 0, batchSeconds <= 3600 else {
            throw ValidationError("--seconds and --batch-seconds: expected seconds above 0, an hour at most")
        }
    }

    func run() async throws {
        var settings = LeaseBenchmark.Settings(
            executable: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
            modelPath: absolutePath(model, in: ".")
        )
        settings.workers = workers
        settings.trainers = trainers
        settings.batchesPerRound = batches
        settings.seconds = seconds
        settings.batchSeconds = batchSeconds
        let report = try await LeaseBenchmark(settings).run()
        say(json ? try encoded(report) : report.text)
    }
}

/// `flowsteer benchmark cluster transfer`.
struct TransferBenchmarkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transfer",
        abstract: "Trajectories from a rollout to a trainer, against what libzmq alone carries over CURVE."
    )

    @Option(help: "KiB of one batch's trajectories.")
    var kibibytes = 20 << 10

    @Option(help: "Batches of a turn.")
    var batches = 10

    @Option(help: "Turns of each.")
    var turns = 7

    @Flag(help: "Prints JSON instead of lines for people.")
    var json = false

    func validate() throws {
        guard (1...4 << 20).contains(kibibytes), (1...10_000).contains(batches), (1...1000).contains(turns)
        else {
            throw ValidationError(
                "--kibibytes \(kibibytes), --batches \(batches), --turns \(turns): expected at least 1 of each"
            )
        }
    }

    func run() async throws {
        var settings = TransferBenchmark.Settings()
        settings.batchByteCount = kibibytes << 10
        settings.batches = batches
        settings.turns = turns
        let report = try await TransferBenchmark(settings).run()
        say(json ? try encoded(report) : report.text)
    }
}

/// `flowsteer benchmark cluster stall`.
struct StallBenchmarkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stall",
        abstract:
            "Memory of each role while another one stalls, or a peer asks for everything and reads nothing."
    )

    @Option(help: "Seconds of each stall.")
    var seconds = 8.0

    @Option(help: "Samples of a batch.")
    var batchSamples = 64

    @Option(help: "The teacher's folder.")
    var model = "Cluster/teacher/emoji-scenes"

    @Flag(help: "Prints JSON instead of lines for people.")
    var json = false

    func validate() throws {
        guard seconds > 0, seconds <= 3600, (1...4096).contains(batchSamples) else {
            throw ValidationError(
                "--seconds \(seconds), --batch-samples \(batchSamples): expected up to 3600 and 1 to 4096"
            )
        }
    }

    func run() async throws {
        var settings = StallBenchmark.Settings(
            executable: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
            modelPath: absolutePath(model, in: ".")
        )
        settings.seconds = seconds
        settings.batchSamples = batchSamples
        let report = try await StallBenchmark(settings).run()
        say(json ? try encoded(report) : report.text)
    }
}

/// JSON on one line, keys in alphabetical order.
private func encoded(_ report: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(report), as: UTF8.self)
}
