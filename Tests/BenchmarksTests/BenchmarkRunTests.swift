import Benchmarks
import NeuralNetwork
import Tensors
import TestSupport
import Testing

@Suite struct BenchmarkRunTests {
    private let pool = LanePool(count: 2)

    /// Runs a benchmark a few times and reports it; every figure has to be one that a person can use.
    @discardableResult
    private func report(
        _ benchmark: some Benchmark,
        shape: BenchmarkShape = .minute,
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> BenchmarkReport {
        var benchmark = benchmark
        var plan = MeasurementPlan()
        plan.warmUpCount = 1
        plan.leastCount = 2
        plan.budget = .zero
        let measurement = plan.measure(&benchmark)
        let report = BenchmarkReport(
            BenchmarkReport.Subject("test", shape, lanes: 2, precision: .float32),
            measurement,
            benchmark.cost,
            peak: MachinePeak(operationsPerSecond: 1e9),
            peakMemoryBytes: 1
        )
        let figures = [
            report.leastMilliseconds, report.milliseconds, report.greatestMilliseconds, report.rate,
            Double(report.weightBytes),
        ]
        for figure in figures {
            #expect(figure.isFinite && figure > 0, "\(report)", sourceLocation: sourceLocation)
        }
        #expect(report.gigaOperations.isFinite && report.shareOfPeak.isFinite, sourceLocation: sourceLocation)
        return report
    }

    @Test func `forwards of a network and of a block run`() throws {
        for shape in [BenchmarkShape.minute, .minute.block] {
            let forward = try ForwardBenchmark(shape, precision: .float32, pool: pool)
            #expect(report(forward, shape: shape).gigaOperations > 0)
        }
    }

    @Test func `training runs in both modes, of a network and of a block`() throws {
        for shape in [BenchmarkShape.minute, .minute.block] {
            for mode in TrainingBenchmark.Mode.allCases {
                report(
                    try TrainingBenchmark(shape, mode: mode, precision: .float32, pool: pool),
                    shape: shape
                )
            }
        }
    }

    @Test func `a training step moves what is trained and keeps it finite`() throws {
        for mode in TrainingBenchmark.Mode.allCases {
            var training = try TrainingBenchmark(.minute, mode: mode, precision: .float32, pool: pool)
            let before = training.parameters.values.copied()
            training.run()
            #expect(training.parameters.values.isFinite)
            #expect(training.parameters.values.squaredDistance(to: before) > 0)
        }
    }

    @Test func `a training step that recomputes its blocks does what one that remembers them does`() throws {
        for mode in TrainingBenchmark.Mode.allCases {
            let moves = try [false, true].map { recomputesBlocks in
                var training = try TrainingBenchmark(
                    .minute,
                    mode: mode,
                    precision: .float32,
                    recomputesBlocks: recomputesBlocks,
                    pool: pool
                )
                let before = training.parameters.values.copied()
                training.run()
                return training.parameters.values.adding(before, scaledBy: -1)
            }
            #expect(moves[0].sumOfSquares > 0)
            #expect(relativeError(moves[1], moves[0]) < 2e-2)
        }
    }

    @Test func `adapters of rank 16 stand on all eight maps of a block's attention, on fewer in the last`()
        throws
    {
        let training = try TrainingBenchmark(.minute, mode: .lora, precision: .float32, pool: pool)
        let names = training.parameters.layout.entries.map(\.name)
        #expect(names.count { $0.contains("transformer_blocks.0.") } == 16)
        // The last block's text has keys and values only.
        #expect(names.count { $0.contains("transformer_blocks.5.") } == 12)
        #expect(training.parameters.layout.entries.allSatisfy { $0.shape.contains(16) })
    }

    @Test func `distillation, rollouts and sampling run`() throws {
        report(try DistillationBenchmark(.minute, precision: .float32, pool: pool))
        let rollout = report(try RolloutBenchmark(.minute, stepCount: 4, precision: .float32, pool: pool))
        #expect(rollout.rateUnit == "trajectories")
        report(try SamplingBenchmark(.minute, stepCount: 2, precision: .float32, pool: pool))
    }

    @Test(arguments: OperationBenchmark.Kind.allCases)
    func `every operation runs, with and without gradients`(kind: OperationBenchmark.Kind) throws {
        for hasGradients in [false, true] {
            report(try OperationBenchmark(kind, .minute, hasGradients: hasGradients, pool: pool))
        }
    }

    @Test func `products of all layouts run in every lane`() {
        for layout in ProductBenchmark.Layout.allCases {
            let product = ProductBenchmark(m: 3, n: 5, k: 7, layout: layout, pool: pool)
            #expect(report(product).gigaOperations == 2 * 2 * 3 * 5 * 7 / 1e9)
        }
    }

    @Test func `what needs a whole network refuses a block`() {
        #expect(throws: BenchmarkError.needsNetwork(benchmark: "a rollout", shape: "sd3-block")) {
            try RolloutBenchmark(.sd3Block, stepCount: 4, precision: .float32, pool: pool)
        }
        #expect(throws: BenchmarkError.self) {
            try SamplingBenchmark(.minute.block, stepCount: 4, precision: .float32, pool: pool)
        }
        #expect(throws: BenchmarkError.self) {
            try DistillationBenchmark(.minute.block, precision: .float32, pool: pool)
        }
    }
}
