import ArgumentParser
import Benchmarks

/// `flowsteer benchmark`.
struct BenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark",
        abstract: "Measures how fast this machine trains and samples models of given shapes.",
        discussion: """
            Shapes: emoji, the shipped teacher; tiny; small; sd3-block, one block of Stable Diffusion 3 Medium. \
            Weights are random. Every run also measures this machine's best matrix product in one lane, and \
            GFLOP/s count the operations of matrix products by formula.

            Examples:
              flowsteer benchmark forward --shape small --lanes 2
              flowsteer benchmark cluster leases --workers 200
            """,
        subcommands: [
            ForwardBenchmarkCommand.self, TrainBenchmarkCommand.self, RolloutBenchmarkCommand.self,
            SamplingBenchmarkCommand.self, BlockBenchmarkCommand.self, OperationBenchmarkCommand.self,
            ProductBenchmarkCommand.self, SweepBenchmarkCommand.self, PrecisionBenchmarkCommand.self,
            ClusterBenchmarkCommand.self,
        ]
    )
}

/// `flowsteer benchmark forward`.
struct ForwardBenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forward",
        abstract: "One forward of a batch, without gradients."
    )

    @OptionGroup var options: BenchmarkOptions

    func run() throws {
        let setting = try options.setting()
        try options.report("forward", setting) {
            try ForwardBenchmark(setting.shape, precision: setting.precision, pool: setting.pool)
        }
    }
}

/// `flowsteer benchmark rollout`.
struct RolloutBenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollout",
        abstract: "Guided trajectories of the teacher, as a rollout worker makes them."
    )

    @OptionGroup var options: BenchmarkOptions

    @Option(help: "Steps of the teacher's solver, a multiple of 4.")
    var steps = 32

    func validate() throws {
        guard steps >= 4, steps % 4 == 0, steps <= 4096 else {
            throw ValidationError("--steps is \(steps): expected a multiple of 4 up to 4096")
        }
    }

    func run() throws {
        let setting = try options.setting()
        try options.report("rollout, \(steps) steps", setting) {
            try RolloutBenchmark(
                setting.shape,
                stepCount: steps,
                precision: setting.precision,
                pool: setting.pool
            )
        }
    }
}

/// `flowsteer benchmark sample`.
struct SamplingBenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample",
        abstract: "Latents in a few steps without guidance, as a student draws them."
    )

    @OptionGroup var options: BenchmarkOptions

    @Option(help: "Steps.")
    var steps = 4

    func validate() throws {
        guard (1...4096).contains(steps) else {
            throw ValidationError("--steps is \(steps): expected 1 to 4096")
        }
    }

    func run() throws {
        let setting = try options.setting()
        try options.report("sample, \(steps) steps", setting) {
            try SamplingBenchmark(
                setting.shape,
                stepCount: steps,
                precision: setting.precision,
                pool: setting.pool
            )
        }
    }
}
