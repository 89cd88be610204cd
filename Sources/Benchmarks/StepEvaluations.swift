package import Distillation

/// Evaluations of networks for a sample of a distillation step, as the real trainer makes them: the mean over many
/// updates, as some methods draw what they ask and take turns.
package struct StepEvaluations: Sendable, Equatable {
    /// Of the student that gradients flow back through.
    package var learned = 0.0
    /// Of a fake-velocity network that gradients flow back through.
    package var learnedVelocity = 0.0
    /// Of the discriminator, the student's states among them.
    package var judged = 0.0
    /// Of the student's states by the discriminator, through which gradients flow back to the student.
    package var judgedStudent = 0.0
    /// Of any network of the teacher's size without gradients.
    package var asked = 0.0

    /// Counts them on a network of no size.
    ///
    /// - Parameter updates: from the first of the stage on, 1 or more.
    package init(
        network: NetworkSettings,
        settings: TrainingSettings,
        trajectory: TrajectorySettings = TrajectorySettings(),
        stage: TrainingStage = .last,
        updates: Int = 320
    ) throws {
        var trial = try DistillationTrial(
            counting: network,
            settings: settings,
            trajectory: trajectory,
            stage: stage
        )
        self.init((0..<updates).map { _ in trial.step() }, of: network.critic, samples: 1)
    }

    /// What updates of so many samples each report.
    init(_ reports: [StepReport], of critic: NetworkSettings.Critic, samples: Int) {
        var (all, recorded) = (EvaluationCounts(), EvaluationCounts())
        for report in reports {
            all += report.evaluations
            recorded += report.recorded
        }
        func mean(_ count: Int) -> Double { Double(count) / Double(reports.count * samples) }
        learned = mean(recorded.student)
        asked = mean(all.student - recorded.student + all.teacher + all.critic - recorded.critic)
        switch critic {
        case .discriminator:
            judged = mean(recorded.critic)
            judgedStudent = mean(samples * reports.count { $0.recorded.critic > 0 })
        case .velocity: learnedVelocity = mean(recorded.critic)
        case .none: break
        }
    }
}
