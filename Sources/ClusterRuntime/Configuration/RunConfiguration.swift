package import Coordination
package import Distillation
package import Evaluation

/// Everything a run is decided by: one YAML file, with overrides by flag and environment.
///
/// A value in hand is checked: its numbers are in range and fit together, its paths are absolute. Whether the
/// files are there is seen when they are opened.
package struct RunConfiguration: Sendable, Equatable {
    /// The teacher's folder, absolute.
    package var modelPath: String
    package var prompts = PromptSettings()
    /// Of prompts, noise, guidance, segments and initial parameters.
    package var seed: UInt64 = 0
    package var trajectory = TrajectorySettings()
    /// Prompts a lease holds.
    package var batchSamples = 8
    /// How often a sample of a trajectory may be trained on.
    package var maxUses = 4
    /// Batches of trajectories that a step draws from; a trainer prefetches as many again.
    package var mixedBatches = 1
    package var network = NetworkSettings()
    /// Guidance scale that the student is sampled with; 1 is none.
    package var studentGuidance: Float = 1
    package var training = TrainingSettings()
    /// Rounds, leases and membership; its `usesPerBatch` is ``maxUses``.
    package var cluster = CoordinationSettings()
    package var averaging = AveragingSettings()
    package var evaluation = EvaluationSettings()

    /// The defaults of a method, for a teacher.
    package init(modelPath: String, method: Method = .flowsteer) {
        self.modelPath = modelPath
        cluster.usesPerBatch = maxUses
        method.applyDefaults(trajectory: &trajectory, network: &network, training: &training)
        averaging.hasCritic = network.critic != .none
    }

    /// How the student is sampled.
    package var sampling: StudentSampling {
        var sampling = StudentSampling()
        sampling.rule = training.method.samplingRule(training, segments: trajectory.segments)
        sampling.guidance = studentGuidance
        return sampling
    }

    /// Batches a trainer draws from in one round: as many as its draws use up, and at least those mixed at once.
    package var batchesPerRound: Int {
        let draws = cluster.localSteps * training.batchSize
        let drawsPerBatch = batchSamples * maxUses
        return max(mixedBatches, (draws + drawsPerBatch - 1) / drawsPerBatch)
    }

    /// The list of sprites that scenes are made of: `prompts.path`, or `sprites.json` beside the model's folder.
    package var spritesPath: String {
        if prompts.kind == .scenes, let path = prompts.path { return path }
        return Self.spritesPath(besideModel: modelPath)
    }

    /// `sprites.json` beside a model's folder, where the shipped teacher has it.
    package static func spritesPath(besideModel modelPath: String) -> String {
        absolutePath("\(modelPath)/../sprites.json", in: ".")
    }
}

/// Where a run's prompts come from.
package struct PromptSettings: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Captions of emoji scenes, drawn without end.
        case scenes
        /// A file with one prompt a line.
        case file
        /// A file with a JSON object a line, one of whose members is the prompt.
        case jsonl
        /// Comma-separated values (RFC 4180) with a header, one of whose columns holds the prompts.
        case csv

        /// What `prompts.path` is to name.
        var expectedFile: String {
            switch self {
            case .scenes: "a list of sprites"
            case .file: "a file with one prompt a line"
            case .jsonl: "a file with a JSON object a line"
            case .csv: "a file of comma-separated values with a header"
            }
        }
    }

    package var kind = Kind.scenes
    /// Absolute: of the prompts, or for `scenes` of another `sprites.json` than the model's.
    package var path: String?
    /// Of `jsonl` the member, of `csv` the column.
    package var column = "text"
    /// Of `scenes`: how often each task comes.
    package var tasks = SceneTaskShares.standard
    /// Absolute: of the folder where the text encoders' answers are kept; nil to keep none.
    package var cachePath: String?
    /// What those files may take together, in GiB.
    package var cacheSize = 16

    package init() {}
}

/// How a student is measured at the end of a run.
package struct EvaluationSettings: Sendable, Equatable {
    /// Held-out prompts, a fixed noise for each.
    package var prompts = 120
    /// Absolute, of a file with one held-out prompt a line; nil means held-out emoji scenes.
    package var path: String?
    /// Guidance scale of the teacher that is the reference.
    package var guidance: Float = 3

    package init() {}
}
