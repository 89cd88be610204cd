import Evaluation
import Foundation

extension RunReport {
    /// `report.md`: the same for people.
    package var markdown: String {
        """
        # Run report

        ## Distance to the teacher

        Root mean square distance to the teacher's own guided 32-step endpoint from the same noise, with its 95 %
        interval; fewer evaluations and a smaller distance are better. Pictures: `samples.png`.

        \(EvaluationTable(evaluation).markdown)
        ## Time

        \(rounds) rounds on \(trajectories) trajectories in \(Self.seconds(wallClock.total)) s. Seconds, summed over
        processes:

        | rollout | train | average | wait |
        | ---: | ---: | ---: | ---: |
        | \(times) |

        \(overhead)

        ## Processes

        | process | role | peak memory, MiB | compute, s | wait, s | wire, s |
        | --- | --- | ---: | ---: | ---: | ---: |
        \(processes.map(Self.row).joined(separator: "\n"))

        ## Losses, mean over the steps that trainers reported

        \(lossTable)
        ## Configuration

        ```yaml
        \(configuration)```

        """
    }

    private var times: String {
        [wallClock.rollout, wallClock.train, wallClock.average, wallClock.wait].map(Self.seconds)
            .joined(separator: " | ")
    }

    private var overhead: String {
        """
        Averaging: \(String(format: "%.1f", averaging.share * 100)) % of the time of \(averaging.rounds) rounds \
        (\(Self.seconds(averaging.seconds)) s): \(String(format: "%.2f", averaging.committing)) s from first offers to \
        commits, \(String(format: "%.2f", averaging.resuming)) s from commits until trainers went on.
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
        let seconds = [process.seconds.compute, process.seconds.wait, process.seconds.wire].map(seconds)
        return "| " + ([process.name, process.role, mebibytes] + seconds).joined(separator: " | ") + " |"
    }

    private static func seconds(_ value: Double) -> String { String(format: "%.1f", value) }
}
