import DiffusionModels
package import Distillation

/// Evaluations of networks that trainers make in a run for a sample, with and without gradients alike: those of all its
/// updates, some of which come before a stage or before the discriminator.
package struct TrainingEvaluations: Sendable, Equatable {
    /// The mean over the run.
    package var perSample: Double

    /// Counts them on a network of no size, as the real trainer makes them.
    ///
    /// - Parameter updates: of the run, 1 or more.
    package init(
        network: NetworkSettings,
        settings: TrainingSettings,
        trajectory: TrajectorySettings,
        updates: Int
    ) throws {
        var trial = try DistillationTrial(
            counting: network,
            settings: settings,
            trajectory: trajectory,
            isLastStage: false
        )
        var all = EvaluationCounts()
        for _ in 0..<updates { all += trial.step().evaluations }
        perSample = Double(all.student + all.teacher + all.critic) / Double(updates)
    }
}

extension DistillationTrial {
    /// A network of no size and one sample: to count what is asked, not to time it.
    init(
        counting network: NetworkSettings,
        settings: TrainingSettings,
        trajectory: TrajectorySettings,
        isLastStage: Bool = true
    ) throws {
        var network = network
        network.discriminator.depth = 1
        network.rank = 1
        try self.init(
            Self.least,
            network: network,
            settings: settings,
            trajectory: trajectory,
            isLastStage: isLastStage
        )
    }

    private static let least = BenchmarkShape(
        TransformerConfiguration(
            sampleSize: 2,
            patchSize: 2,
            inChannels: 1,
            outChannels: 1,
            layerCount: 2,
            headCount: 1,
            headWidth: 8,
            jointAttentionWidth: 4,
            pooledProjectionWidth: 4,
            positionTableSize: 2,
            normalizesQueriesAndKeys: false,
            dualAttentionLayers: []
        ),
        extent: LatentExtent(rows: 2, columns: 2),
        textTokens: 1,
        batch: 1
    )
}
