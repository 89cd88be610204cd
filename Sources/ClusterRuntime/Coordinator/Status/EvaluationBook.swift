import ClusterMessages
import Distillation

/// How often networks were evaluated, as workers count it.
struct EvaluationBook: Sendable {
    private static let prefix = "evaluations."
    private static let samples = prefix + "samples"

    private var trajectories = 0
    private var rolloutCount = 0
    private var trainerCounts: [String: Double] = [:]

    /// Whether a step report's term is a count of evaluations and no loss.
    static func isCount(_ name: String) -> Bool { name.hasPrefix(prefix) }

    /// What a trainer's report says of the steps since its last one.
    static func measurements(_ counts: EvaluationCounts, samples: Int) -> [Message.Measurement] {
        [
            .init(name: Self.samples, value: Double(samples)),
            .init(name: prefix + "student", value: Double(counts.student)),
            .init(name: prefix + "teacher", value: Double(counts.teacher)),
            .init(name: prefix + "critic", value: Double(counts.critic)),
        ]
    }

    /// Takes a rollout's batch of trajectories.
    mutating func add(_ ready: Message.TrajectoryReady, trajectories count: Int) {
        trajectories += count
        rolloutCount += ready.teacherEvaluationCount
    }

    /// Takes a trainer's report.
    mutating func add(_ report: Message.StepReport) {
        for count in report.losses where Self.known.contains(count.name) && count.value.isFinite {
            trainerCounts[count.name, default: 0] += count.value
        }
    }

    /// A peer chooses the names, so only these are taken.
    private static let known: Set = [samples, prefix + "student", prefix + "teacher", prefix + "critic"]

    /// What was counted, per trajectory and per training sample.
    var means: RunFigures.Evaluations {
        func perSample(_ network: String) -> Double {
            guard let samples = trainerCounts[Self.samples], samples > 0 else { return 0 }
            return (trainerCounts[Self.prefix + network] ?? 0) / samples
        }
        return RunFigures.Evaluations(
            teacherPerTrajectory: trajectories > 0 ? Double(rolloutCount) / Double(trajectories) : 0,
            studentPerSample: perSample("student"),
            teacherPerSample: perSample("teacher"),
            criticPerSample: perSample("critic")
        )
    }
}
