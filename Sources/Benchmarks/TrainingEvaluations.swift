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
            stage: .whole
        )
        var all = EvaluationCounts()
        for _ in 0..<updates { all += trial.step().evaluations }
        perSample = Double(all.student + all.teacher + all.critic) / Double(updates)
    }
}
