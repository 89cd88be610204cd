import Coordination
import Distillation

// MARK: - Students of equal compute

extension Study {
    /// The study whose students are trained for as many evaluations of networks, the teacher's and those in training
    /// together, as the configuration's own method asks in a run of `size`; to whole updates, and none above it.
    ///
    /// - Parameters:
    ///   - resolve: the configuration that overrides make of the base, `group.key=value`.
    ///   - trainingPerSample: evaluations that a run's trainer makes for a sample, the mean over the run.
    /// - Throws: ``StudyError/tooFewEvaluations(row:asked:least:)``, and what the two functions throw.
    package func equalizing(
        _ size: StudySize,
        of configuration: RunConfiguration,
        resolve: ([String]) throws -> RunConfiguration,
        trainingPerSample: (RunConfiguration) throws -> Double
    ) throws -> Study {
        let own = try resolve(size.overrides(of: configuration, for: configuration.training.method))
        let evaluations =
            Double(own.cluster.rounds)
            * own.evaluationsPerRound(trainingPerSample: try trainingPerSample(own))
        return try trained.reduce(self) { study, student in
            let run = try resolve(student.overrides)
            let asked = RunEvaluations(run, trainingPerSample: try trainingPerSample(run))
            guard let fitted = asked.size(within: evaluations) else {
                throw StudyError.tooFewEvaluations(
                    row: student.name,
                    asked: Int(evaluations),
                    least: Int(asked.count(rounds: 1, localSteps: 1))
                )
            }
            let overrides = fitted.overrides(of: configuration, for: run.training.method)
            return study.adding(overrides, to: student.name) ?? study
        }
    }
}

/// What a run of one trainer asks of networks, by its length.
private struct RunEvaluations {
    private let run: RunConfiguration
    private let trainingPerSample: Double

    init(_ run: RunConfiguration, trainingPerSample: Double) {
        self.run = run
        self.trainingPerSample = trainingPerSample
    }

    func count(rounds: Int, localSteps: Int) -> Double {
        var run = run
        run.cluster.localSteps = localSteps
        return Double(rounds) * run.evaluationsPerRound(trainingPerSample: trainingPerSample)
    }

    /// The longest run within so many evaluations, in rounds about as long as the run's own; nil where one update is
    /// more.
    func size(within evaluations: Double) -> StudySize? {
        let whole = evaluations / count(rounds: 1, localSteps: run.cluster.localSteps)
        var rounds = max(1, Int(whole.rounded()))
        // A round begins with batches of its own, however short it is.
        while rounds > 1, count(rounds: rounds, localSteps: 1) > evaluations { rounds -= 1 }
        var (fits, exceeds) = (0, 1)
        while count(rounds: rounds, localSteps: exceeds) <= evaluations {
            (fits, exceeds) = (exceeds, 2 * exceeds)
        }
        while exceeds - fits > 1 {
            let middle = (fits + exceeds) / 2
            if count(rounds: rounds, localSteps: middle) <= evaluations {
                fits = middle
            } else {
                exceeds = middle
            }
        }
        return fits > 0 ? StudySize(rounds: rounds, localSteps: fits) : nil
    }
}
