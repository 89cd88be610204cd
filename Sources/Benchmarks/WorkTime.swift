import DiffusionModels
package import Distillation
package import Tensors

/// What a run's work takes on this machine: its own code, timed on networks that are done in moments.
///
/// A network that is small enough is timed as it is. Of a larger one all blocks but a few are left out, as one takes as
/// long as another, then samples beyond one piece a lane. Where that is still too much, network, picture and text are
/// shrunk by one factor, and twice: a product's operation takes the same time at every width `D`, while what is done
/// for each feature of a token, by adapters and by optimizers, is a part of the operations that goes with `1 / D`. Two
/// widths tell both parts.
package enum WorkTime {
    /// Operations of one run of what is timed, a lane, at most.
    static let operationLimit = 1e11

    /// Seconds of one evaluation of the teacher for a sample, in guided trajectories of `shape.batch` samples.
    package static func evaluation(_ shape: BenchmarkShape, precision: Precision, lanes: Int) throws -> Double
    {
        let pairs = 4
        let probes = ProbeShape.probes(shape, load: .inference, evaluations: 2, lanes: lanes) { shape, _ in
            Double(2 * pairs) * shape.forwardOperations
        }
        var plan = MeasurementPlan()
        (plan.warmUpCount, plan.leastCount, plan.budget) = (1, 3, .seconds(1))
        let costs = try probes.map { probe in
            var benchmark = try RolloutBenchmark(
                probe.shape,
                stepCount: pairs,
                precision: precision,
                pool: LanePool(count: lanes)
            )
            return plan.measure(&benchmark).median / benchmark.cost.operations
        }
        return carried(costs, to: shape, from: probes) * shape.with(batch: 1).forwardOperations
    }

    /// Seconds of one distillation step of `shape.batch` samples.
    package static func step(
        _ shape: BenchmarkShape,
        network: NetworkSettings,
        settings: TrainingSettings,
        trajectory: TrajectorySettings,
        stage: TrainingStage = .last,
        lanes: Int
    ) throws -> Double {
        let evaluations = try StepEvaluations(
            network: network,
            settings: settings,
            trajectory: trajectory,
            stage: stage
        )
        let depth = network.discriminator.depth
        let probes = ProbeShape.probes(shape, depth: depth, load: .training, lanes: lanes) {
            $0.distillationOperations(evaluations, network: network.judging(depth: $1))
        }
        let costs = try probes.map { probe in
            let network = network.judging(depth: probe.discriminatorDepth)
            var trial = try DistillationTrial(
                probe.shape,
                network: network,
                settings: settings,
                trajectory: trajectory,
                stage: stage,
                lanes: lanes
            )
            return trial.secondsPerOperation(network, samples: probe.shape.batch) {
                probe.shape.distillationOperations($0, network: network)
            }
        }
        return carried(costs, to: shape, from: probes)
            * shape.distillationOperations(evaluations, network: network)
    }

    /// Seconds of an operation at the width of `shape`, from those at one width or two.
    private static func carried(_ costs: [Double], to shape: BenchmarkShape, from probes: [ProbeShape])
        -> Double
    {
        guard costs.count == 2 else { return costs[0] }
        return carried(costs, widths: probes.map(\.shape.width), to: shape.width)
    }

    /// `a + b / D` at the width `to`, through its values at two others, the wider first.
    ///
    /// Moments differ, and what is carried far with them: `b` is not negative, and `b / D` at the wider one no more than
    /// half of its value.
    static func carried(_ costs: [Double], widths: [Int], to width: Int) -> Double {
        let inverses = (widths + [width]).map { 1 / Double($0) }
        let slope = (costs[1] - costs[0]) / (inverses[1] - inverses[0])
        let b = min(max(0, slope), costs[0] / 2 / inverses[0])
        return costs[0] + b * (inverses[2] - inverses[0])
    }
}

extension NetworkSettings {
    fileprivate func judging(depth: Int) -> NetworkSettings {
        var network = self
        network.discriminator.depth = depth
        return network
    }
}

extension DistillationTrial {
    private static let budget = Duration.seconds(1.5)
    private static let leastCount = 3

    /// The median over rounds of turns, each with the evaluations that it happened to make.
    fileprivate mutating func secondsPerOperation(
        _ network: NetworkSettings,
        samples: Int,
        _ operations: (StepEvaluations) -> Double
    ) -> Double {
        for _ in 0..<turns { _ = step() }
        let clock = ContinuousClock()
        let start = clock.now
        var costs: [Double] = []
        while costs.count < Self.leastCount || clock.now - start < Self.budget {
            var reports: [StepReport] = []
            let time = clock.measure { for _ in 0..<turns { reports.append(step()) } }
            let evaluations = StepEvaluations(reports, of: network.critic, samples: samples)
            costs.append(time / .seconds(1) / (operations(evaluations) * Double(turns)))
        }
        return Measurement(seconds: costs).median
    }
}
