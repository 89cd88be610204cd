import ArgumentParser
import Benchmarks

/// `flowsteer benchmark train`.
struct TrainBenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "One training step: forward, gradients and the optimizer."
    )

    @OptionGroup var options: BenchmarkOptions

    @Option(help: "lora: adapters of rank 16 on the attention's maps; full: all weights.")
    var mode = TrainingBenchmark.Mode.lora

    @Flag(help: "The whole distillation step with its discriminator (lora only).")
    var discriminator = false

    @Flag(help: "Keeps only the inputs of blocks and computes them again on the way back.")
    var gradientCheckpointing = false

    func validate() throws {
        guard !discriminator || mode == .lora else {
            throw ValidationError("--discriminator trains adapters: expected --mode lora")
        }
        guard !gradientCheckpointing || (!discriminator && options.shape.scope == .network) else {
            throw ValidationError(
                "--gradient-checkpointing is for a whole network, without --discriminator: expected --shape emoji, "
                    + "tiny or small"
            )
        }
    }

    func run() throws {
        let setting = try options.setting()
        if discriminator {
            try options.report("train lora, discriminator", setting) {
                try DistillationBenchmark(setting.shape, precision: setting.precision, pool: setting.pool)
            }
        } else {
            let name = "train \(mode.rawValue)\(gradientCheckpointing ? ", checkpointing" : "")"
            try options.report(name, setting) {
                try TrainingBenchmark(
                    setting.shape,
                    mode: mode,
                    precision: setting.precision,
                    recomputesBlocks: gradientCheckpointing,
                    pool: setting.pool
                )
            }
        }
    }
}

/// `flowsteer benchmark block`.
struct BlockBenchmarkCommand: ParsableCommand {
    /// What is done with the block.
    enum Work: String, CaseIterable, ExpressibleByArgument {
        case forward, lora, full
    }

    static let configuration = CommandConfiguration(
        commandName: "block",
        abstract: "One joint block of a shape: a forward or a training step."
    )

    @OptionGroup var options: BenchmarkOptions

    @Option(help: "forward, or a training step of adapters (lora) or of all weights (full).")
    var work = Work.full

    func run() throws {
        var setting = try options.setting()
        setting.shape = setting.shape.block
        let (shape, precision, pool) = (setting.shape, setting.precision, setting.pool)
        switch TrainingBenchmark.Mode(rawValue: work.rawValue) {
        case nil:
            try options.report("block forward", setting) {
                try ForwardBenchmark(shape, precision: precision, pool: pool)
            }
        case let mode?:
            try options.report("block train \(mode.rawValue)", setting) {
                try TrainingBenchmark(shape, mode: mode, precision: precision, pool: pool)
            }
        }
    }
}

extension TrainingBenchmark.Mode: ExpressibleByArgument {}
