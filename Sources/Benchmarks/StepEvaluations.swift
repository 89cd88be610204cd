import DiffusionModels
package import Distillation

/// Evaluations of networks for a sample of a distillation step in its method's last stage, as the real trainer makes
/// them: the mean over many updates, as some methods draw what they ask and take turns.
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

    private static let updates = 320

    /// Counts them on a network of no size.
    package init(
        network: NetworkSettings,
        settings: TrainingSettings,
        trajectory: TrajectorySettings = TrajectorySettings()
    ) throws {
        var trial = try DistillationTrial(counting: network, settings: settings, trajectory: trajectory)
        var (all, recorded) = (EvaluationCounts(), EvaluationCounts())
        for _ in 0..<Self.updates {
            let report = trial.step()
            all += report.evaluations
            recorded += report.recorded
            if network.critic == .discriminator, report.recorded.critic > 0 { judgedStudent += 1 }
        }
        func mean(_ count: Int) -> Double { Double(count) / Double(Self.updates) }
        learned = mean(recorded.student)
        asked = mean(all.student - recorded.student + all.teacher + all.critic - recorded.critic)
        judgedStudent /= Double(Self.updates)
        switch network.critic {
        case .discriminator: judged = mean(recorded.critic)
        case .velocity: learnedVelocity = mean(recorded.critic)
        case .none: break
        }
    }
}
