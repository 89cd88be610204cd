import Evaluation
import Foundation

extension RunReport {
    /// `report.md`: the same for people.
    package var markdown: String {
        """
        # Run report

        ## Evaluation

        Distance to teacher: root mean square distance to the teacher's own guided 32-step endpoint from the same noise,
        with its 95 % interval. \(otherMeasures)
        Pictures: `samples.png`.

        \(EvaluationTable(evaluation).markdown)\(sceneScores)
        ## Time

        \(rounds) rounds on \(trajectories) trajectories in \(ReportNumber.seconds(wallClock.total)) s. Seconds, summed over
        processes:

        | rollout | train | average | wait |
        | ---: | ---: | ---: | ---: |
        | \(times) |

        \(overhead)

        \(evaluationCounts)

        ## Processes

        | process | role | peak memory, MiB | compute, s | wait, s | wire, s |
        | --- | --- | ---: | ---: | ---: | ---: |
        \(processes.map(Self.row).joined(separator: "\n"))

        ## Losses, mean over the steps that trainers reported

        \(lossTable)
        ## Costs

        | what | amount |
        | --- | ---: |
        \(costs.lines.map { "| \($0.what) | \($0.amount) |" }.joined(separator: "\n"))

        ## Where it was made, and how to make it again

        | what | |
        | --- | --- |
        \(origin.lines.map { "| \($0.what) | \($0.value) |" }.joined(separator: "\n"))

        ```
        \(origin.command)
        ```

        \(Self.reproducibility)

        ## Configuration

        ```yaml
        \(configuration)```

        """
    }

    /// What the columns say that not every model has.
    var otherMeasures: String {
        [
            evaluation.contains { $0.sceneScore != nil }
                ? "Scene score: the share of pictures that show what their caption says, mean of the tasks ± its 95 % "
                    + "interval." : nil,
            evaluation.contains { $0.frechetDistance != nil }
                ? "Fréchet distance (squared) to the teacher's pictures, of 48 colours and 16 contrasts of a picture's "
                    + "4 x 4 cells; no trained network." : nil,
            evaluation.contains { $0.diversity != nil }
                ? "Diversity: root mean square distance between pictures of one prompt from different noises."
                : nil,
        ].compactMap(\.self).joined(separator: " ")
    }

    private var sceneScores: String {
        guard let table = EvaluationTable(tasksOf: evaluation) else { return "" }
        return """

            ### Scenes: pictures that show what their caption says

            \(table.markdown)
            """
    }

    private var times: String {
        [wallClock.rollout, wallClock.train, wallClock.average, wallClock.wait].map(ReportNumber.seconds)
            .joined(separator: " | ")
    }

    var overhead: String {
        """
        Averaging: \(String(format: "%.1f", averaging.share * 100)) % of the time of \(averaging.rounds) rounds \
        (\(ReportNumber.seconds(averaging.seconds)) s): \(String(format: "%.2f", averaging.committing)) s from first offers to \
        commits, \(String(format: "%.2f", averaging.resuming)) s from commits until trainers went on.
        """
    }

    private var evaluationCounts: String {
        func text(_ value: Double) -> String { String(format: "%.2f", value) }
        return """
            Evaluations of networks: the teacher \(text(evaluations.teacherPerTrajectory)) times for a trajectory; for a \
            training sample the student \(text(evaluations.studentPerSample)), the teacher in trainers \
            \(text(evaluations.teacherPerSample)), the critic \(text(evaluations.criticPerSample)) times.
            """
    }

    private var lossTable: String {
        let names = Set(losses.flatMap(\.losses.keys)).sorted()
        let header = ["round", "steps"] + names
        let lines =
            [header, [String](repeating: "---:", count: header.count)]
            + losses.map { round in
                ["\(round.round)", "\(round.steps)"]
                    + names.map { name in round.losses[name].map { String(format: "%.5f", $0) } ?? "" }
            }
        return lines.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
    }

    private static func row(_ process: Process) -> String {
        let mebibytes = String(format: "%.0f", Double(process.peakMemoryBytes) / 1_048_576)
        let seconds = [process.seconds.compute, process.seconds.wait, process.seconds.wire].map(
            ReportNumber.seconds
        )
        return "| " + ([process.name, process.role, mebibytes] + seconds).joined(separator: " | ") + " |"
    }

    /// What the command that makes a run again gives.
    static let reproducibility = """
        In the run's folder. With the same program on the same kind of processor, trajectories are the same byte for byte. \
        Which trainer uses which of them is decided by arrival, so the student differs within what chance does, unless \
        cluster.assignment is ordered.
        """
}
