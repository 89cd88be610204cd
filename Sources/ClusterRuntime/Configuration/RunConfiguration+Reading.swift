import Coordination
import DiffusionModels
import Distillation
import Evaluation
import FlowMatching
import FoundationEssentials

/// A value that stands above the file's: `--set group.key=value`.
package struct ConfigurationOverride: Sendable, Equatable {
    package let key: String
    package let value: String

    package init(key: String, value: String) {
        self.key = key
        self.value = value
    }

    /// Reads `group.key=value`; nil without a key or an equals sign.
    package init?(_ text: String) {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else { return nil }
        key = String(text[..<equals])
        value = String(text[text.index(after: equals)...])
    }
}

extension RunConfiguration {
    /// Reads a configuration's text; `path` names it in errors, and its folder is where relative paths begin.
    package init(yaml text: String, path: String) throws(ConfigurationError) {
        try self.init(ConfigurationText(yaml: text, path: path), folder: folder(of: path))
    }

    /// Reads a file with overrides: flags stand above the environment, the environment above the file.
    ///
    /// Paths that an override states are relative to the working folder.
    /// - Parameter environment: variables `FLOWSTEER_GROUP_KEY` are read; others of that prefix are refused.
    package init(
        file path: String,
        overrides: [ConfigurationOverride] = [],
        environment: [String: String] = [:]
    ) throws(ConfigurationError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .unreadable(
                path: path,
                reason: "there is no such file: expected a configuration such as Cluster/emoji.yaml"
            )
        }
        guard let yaml = String(validating: data, as: UTF8.self) else {
            throw .unreadable(path: path, reason: "it is no UTF-8 text")
        }
        var text = try ConfigurationText(yaml: yaml, path: path)
        let keys = Dictionary(
            uniqueKeysWithValues: ConfigurationKeys.all.map {
                (ConfigurationKeys.environmentVariable(of: $0), $0)
            }
        )
        for (variable, value) in environment.sorted(by: { $0.key < $1.key })
        where variable.hasPrefix("FLOWSTEER_") && variable != FaultPlan.variable {
            let place = ConfigurationPlace.environment(variable: variable)
            guard let key = keys[variable] else {
                let nearest = keys.keys.sorted().min {
                    editDistance($0, variable) < editDistance($1, variable)
                }
                throw .unknownKey(variable, place: place, nearest: nearest ?? "")
            }
            try text.override(key, with: value, at: place)
        }
        for override in overrides { try text.override(override.key, with: override.value, at: .flag) }
        try self.init(text, folder: folder(of: path))
    }

    private init(_ text: ConfigurationText, folder: String) throws(ConfigurationError) {
        var method = Method.flowsteer
        try ConfigurationValues(text).read("method", into: &method)
        var text = text
        try text.keep(for: method)
        var mode = Student.Mode.lora
        try ConfigurationValues(text).read("student.mode", into: &mode)
        try text.keep(for: mode, of: method)
        var kind = PromptSettings.Kind.scenes
        try ConfigurationValues(text).read("prompts.kind", into: &kind)
        try text.keep(for: kind)
        let values = ConfigurationValues(text)
        guard let model = try values.path("model", in: folder) else {
            throw .missingKey("model", path: text.path, expected: "the teacher's folder")
        }
        self.init(modelPath: model, method: method)
        prompts.kind = kind
        prompts.path = try values.path("prompts.path", in: folder)
        if prompts.kind != .scenes, prompts.path == nil {
            throw .missingKey("prompts.path", path: text.path, expected: prompts.kind.expectedFile)
        }
        if let column = try values.string("prompts.column") { prompts.column = column }
        if let stated = try values.numbers("prompts.tasks", count: SceneTask.allCases.count, .atLeast(0)) {
            guard let tasks = SceneTaskShares(stated) else {
                throw values.refusal(of: "prompts.tasks", expected: "numbers that add up to 1")
            }
            prompts.tasks = tasks
        }
        prompts.cachePath = try values.path("prompts.cache", in: folder)
        try values.read("prompts.cache_gib", into: &prompts.cacheSize, in: 1...1_000_000)
        try values.read("seed", into: &seed)
        try readTrajectory(values)
        try readNetworks(values, folder: folder)
        try readTraining(values)
        try readCluster(values)
        try values.read("evaluation.prompts", into: &evaluation.prompts, in: 1...100_000)
        evaluation.path = try values.path("evaluation.path", in: folder)
        try values.read("evaluation.guidance", into: &evaluation.guidance, .positive)
    }
}

// MARK: - Groups

extension RunConfiguration {
    private mutating func readTrajectory(_ values: ConfigurationValues) throws(ConfigurationError) {
        try values.read("trajectory.segments", into: &trajectory.segments, in: 1...64)
        try values.read("trajectory.steps_per_segment", into: &trajectory.stepsPerSegment, in: 1...1000)
        try values.read("trajectory.schedule", into: &trajectory.schedule)
        try values.read("trajectory.reuse", into: &trajectory.reuse)
        try values.read("trajectory.online_alignment", into: &trajectory.onlineAlignment)
        try values.read("trajectory.precision", into: &trajectory.precision)
        try values.read("trajectory.max_uses", into: &maxUses, in: 1...1000)
        cluster.usesPerBatch = maxUses
        trajectory.negativePrompt = try values.string("trajectory.negative_prompt") ?? ""
        if let range = try values.numbers("trajectory.guidance", count: 2, .positive) {
            guard range[0] <= range[1] else {
                throw values.refusal(of: "trajectory.guidance", expected: "the lower bound first")
            }
            trajectory.guidance = range[0]...range[1]
        }
    }

    private mutating func readNetworks(
        _ values: ConfigurationValues,
        folder: String
    ) throws(ConfigurationError) {
        try values.read("student.mode", into: &network.student)
        try values.read("student.rank", into: &network.rank, in: 1...4096)
        if let targets = try values.strings("student.targets") { network.targets = targets }
        try values.read("student.precision", into: &network.precision)
        try values.read("student.guidance", into: &studentGuidance, .positive)
        network.initialAdaptersPath = try values.path("student.initial_lora", in: folder)
        try values.read("training.gradient_checkpointing", into: &network.recomputesBlocks)
        try values.read("discriminator.depth", into: &network.discriminator.depth, in: 1...1000)
        try values.read("discriminator.head", into: &network.discriminator.heads)
        try values.read("discriminator.mode", into: &network.discriminator.mode)
        try values.read("discriminator.states", into: &training.states)
        if training.states == .rollout, !trajectory.onlineAlignment || trajectory.reuse == .segment {
            throw .notSupported(
                key: "discriminator.states",
                place: values.place(of: "discriminator.states"),
                value: training.states.rawValue,
                supported: "segment, or trajectories from noise on (aligned, trajectory.reuse: trajectory)"
            )
        }
        try values.read("discriminator.renoise", into: &training.renoisesJudged)
        try values.read("discriminator.r1_weight", into: &training.penaltyWeight, .atLeast(0))
        try values.read("student.ema_decay", into: &training.averageDecay, .from(0, below: 1))
        averaging.keepsStudentAverage = training.averageDecay > 0
        try values.read("discriminator.loss", into: &training.adversarialLoss)
        try values.read("discriminator.rank", into: &network.discriminator.rank, in: 1...4096)
    }

    private mutating func readTraining(_ values: ConfigurationValues) throws(ConfigurationError) {
        try values.read("training.batch_size", into: &training.batchSize, in: 1...65_536)
        try values.read("training.local_steps", into: &cluster.localSteps, in: 1...1_000_000)
        var rounds = Int(cluster.rounds)
        try values.read("training.rounds", into: &rounds, in: 1...1_000_000)
        cluster.rounds = UInt64(rounds)
        try readSegmentProbabilities(values)
        try values.read("training.places", into: &training.places)
        try values.read("training.mixed_batches", into: &mixedBatches, in: 1...10_000)
        cluster.trainerLimit = CreditWindow(
            batches: max(cluster.trainerLimit.batches, 2 * mixedBatches),
            byteCount: cluster.trainerLimit.byteCount
        )
        try values.read("training.adversarial_weight", into: &training.adversarialWeight, .atLeast(0))
        try values.read(
            "training.feature_matching_weight",
            into: &training.featureMatchingWeight,
            .atLeast(0)
        )
        try readStages(values)
        try values.read("training.huber", into: &training.huber, .positive)
        try values.read("training.matching_weight", into: &training.matchingWeight, .atLeast(0))
        try values.read("training.critic_steps", into: &training.criticSteps, in: 1...1000)
        let start = "training.adversarial_start_step"
        try values.read(start, into: &training.adversarialStartStep, in: 0...(.max))
        try values.read("training.paged_optimizer_state", into: &training.pagesOptimizerState)
        try values.readOptimizer("training.", into: &training.optimizer)
        try values.readOptimizer("training.discriminator_", into: &training.discriminatorOptimizer)
    }

    private mutating func readSegmentProbabilities(_ values: ConfigurationValues) throws(ConfigurationError) {
        let key = "training.segment_probabilities"
        guard let stated = try values.numbers(key, count: trajectory.segments, .atLeast(0)) else {
            guard training.segmentProbabilities.count == trajectory.segments else {
                training.segmentProbabilities = [Float](
                    repeating: 1 / Float(trajectory.segments),
                    count: trajectory.segments
                )
                return
            }
            return
        }
        guard abs(stated.reduce(0, +) - 1) < 1e-3 else {
            throw values.refusal(of: key, expected: "numbers that add up to 1")
        }
        training.segmentProbabilities = stated
    }

    /// Stages that nobody stated last as long as each other, or as the method's source has it.
    private mutating func readStages(_ values: ConfigurationValues) throws(ConfigurationError) {
        let key = "training.stages"
        if training.method == .hyperSD {
            let numbers = try values.numbers(key, .between(1, 1000)) ?? training.stages.map { Float($0) }
            training.stages = numbers.map { Int($0) }
            let fine = trajectory.segments * trajectory.stepsPerSegment
            guard zip(numbers, training.stages).allSatisfy({ $0 == Float($1) && fine % $1 == 0 }) else {
                throw values.refusal(of: key, expected: "divisors of the teacher's \(fine) steps")
            }
            // Stock schedules of different steps do not nest, so jumps would not end where training's do.
            guard trajectory.schedule == .rectified else {
                throw .notSupported(
                    key: "trajectory.schedule",
                    place: values.place(of: "trajectory.schedule"),
                    value: trajectory.schedule.rawValue,
                    supported: "'rectified' for hyper-sd"
                )
            }
        }
        if let count = training.method.stagesInARun {
            training.stageSteps = cluster.localSteps * Int(cluster.rounds) / count
        }
        try values.read("training.stage_steps", into: &training.stageSteps, in: 0...(.max))
    }

    private mutating func readCluster(_ values: ConfigurationValues) throws(ConfigurationError) {
        try values.read("cluster.batch_samples", into: &batchSamples, in: 1...4096)
        try values.read("cluster.ping", into: &cluster.pingInterval, .positive)
        try values.read("cluster.suspect", into: &cluster.suspectAfter, .positive)
        try values.read("cluster.dead", into: &cluster.deadAfter, .positive)
        guard cluster.pingInterval < cluster.suspectAfter else {
            throw values.refusal(of: "cluster.suspect", expected: "more than cluster.ping")
        }
        guard cluster.suspectAfter < cluster.deadAfter else {
            throw values.refusal(of: "cluster.dead", expected: "more than cluster.suspect")
        }
        try values.read("cluster.lease", into: &cluster.leaseFloor, .positive)
        try values.read("cluster.hedging", into: &cluster.hedging)
        try values.read("cluster.audit_share", into: &cluster.auditShare, .between(0, 1))
        try values.read("cluster.attempts", into: &cluster.attempts, in: 1...1000)
        try values.read("cluster.lead_batches", into: &cluster.leadBatches, in: 1...1_000_000)
        try values.read("cluster.assignment", into: &cluster.assignment)
        try values.read("cluster.trainers_at_start", into: &cluster.trainersAtStart, in: 1...1000)
        try values.read("cluster.quorum", into: &cluster.quorum, .between(0, 1))
        try values.read("cluster.grace", into: &cluster.grace, .atLeast(0))
        try values.read("cluster.outlier_factor", into: &cluster.outlierFactor, .atLeast(0))
        try values.read("cluster.averaging.student", into: &averaging.student)
        let period = "cluster.averaging.discriminator_period"
        try values.read(period, into: &averaging.discriminatorPeriod, in: 1...1_000_000)
        let moments = "cluster.averaging.moments_period"
        try values.read(moments, into: &averaging.momentsPeriod, in: 0...1_000_000)
        try values.read("cluster.averaging.exchange", into: &averaging.exchange)
        try values.read("cluster.averaging.topology", into: &cluster.topology)
        let discriminator = "cluster.averaging.discriminator"
        try values.read(discriminator, into: &averaging.discriminator)
        guard averaging.discriminator == .mean else {
            throw .notSupported(
                key: discriminator,
                place: values.place(of: discriminator),
                value: averaging.discriminator.rawValue,
                supported: "'mean'"
            )
        }
    }
}
