import ClusterMessages
package import Evaluation
import Foundation

/// What a run came to: `report.json`.
package struct RunReport: Codable, Sendable, Equatable {
    /// One process of the cluster.
    package struct Process: Codable, Sendable, Equatable {
        /// `coordinator`, `rollout` or `trainer`.
        package var role: String
        package var name: String
        /// The most memory it had resident.
        package var peakMemoryBytes: Int
        package var seconds: Seconds
    }

    /// Where a process's time went.
    package struct Seconds: Codable, Sendable, Equatable {
        package var compute: Double
        package var wait: Double
        package var wire: Double
    }

    /// Where the run's time went, in seconds.
    package struct WallClock: Codable, Sendable, Equatable {
        /// From the coordinator's start to its end.
        package var total: Double
        /// Rollout workers computing, summed over them.
        package var rollout: Double
        /// Trainer workers computing, summed over them.
        package var train: Double
        /// From a round's last offer to its commit, summed over rounds.
        package var average: Double
        /// Workers waiting, summed over them.
        package var wait: Double
    }

    /// The mean losses of a round's steps.
    package struct Round: Codable, Sendable, Equatable {
        package var round: UInt64
        package var steps: Int
        package var losses: [String: Double]
    }

    package var evaluation: [EvaluationRow]
    package var processes: [Process]
    package var wallClock: WallClock
    /// What averaging took of the rounds' time.
    package var averaging: AveragingTime
    /// Teacher trajectories solved.
    package var trajectories: Int
    /// Since the coordinator was last started.
    package var evaluations: RunFigures.Evaluations
    /// Rounds committed.
    package var rounds: UInt64
    package var losses: [Round]
    package var costs: RunCosts
    package var origin: RunOrigin
    /// The resolved configuration, as YAML.
    package var configuration: String

    /// Puts a report together from what the coordinator left in the run's folder.
    ///
    /// - Parameter processorSeconds: of all its processes, where somebody counted them.
    package init(
        evaluation: [EvaluationRow],
        status: RunStatus,
        journal: [JournalLine],
        configuration: RunConfiguration,
        processorSeconds: Double? = nil
    ) {
        self.evaluation = evaluation
        self.configuration = configuration.yaml
        origin = RunOrigin(of: status)
        costs = RunCosts(
            status: status,
            journal: journal,
            processorSeconds: processorSeconds
        )
        averaging = RoundTimes(journal).total
        let average = Self.averagingSeconds(journal)
        let workers = status.nodes.filter { $0.role == .rollout || $0.role == .trainer }
        let processes =
            [
                // The coordinator computes when it averages and else waits for its peers.
                Process(
                    role: "coordinator",
                    name: "coordinator",
                    peakMemoryBytes: status.peakMemoryByteCount,
                    seconds: Seconds(compute: average, wait: max(0, status.elapsed - average), wire: 0)
                )
            ] + workers.map(Process.init)
        func sum(_ role: String, _ part: KeyPath<Seconds, Double>) -> Double {
            processes.filter { $0.role == role }.reduce(0) { $0 + $1.seconds[keyPath: part] }
        }
        self.processes = processes
        wallClock = WallClock(
            total: status.elapsed,
            rollout: sum("rollout", \.compute),
            train: sum("trainer", \.compute),
            average: average,
            wait: sum("rollout", \.wait) + sum("trainer", \.wait)
        )
        trajectories = status.trajectories.total
        evaluations = status.figures.evaluations
        rounds = status.round.rawValue
        losses = journal.compactMap { line in
            guard let round = line.round, let losses = line.losses else { return nil }
            return Round(round: round.rawValue, steps: line.steps ?? 0, losses: losses)
        }
    }

    private static func averagingSeconds(_ journal: [JournalLine]) -> Double {
        var closed: [UInt64: Double] = [:]
        var seconds = 0.0
        for line in journal {
            guard let round = line.round?.rawValue else { continue }
            if line.kind == "roundClosed" { closed[round] = line.time }
            if line.kind == "roundCommitted", let start = closed.removeValue(forKey: round) {
                seconds += max(0, line.time - start)
            }
        }
        return seconds
    }

    /// `report.json`.
    package func json() throws -> [UInt8] { try ReportCoding.encoded(self) }

    /// The report of a run that is finished already; nil where there is none that can be read.
    ///
    /// Starting the run once more would only write what that start cost in its place.
    package static func ofFinishedRun(in folder: LocalRunFolder) throws -> RunReport? {
        guard try folder.readStatus()?.state == .finished,
            let data = FileManager.default.contents(atPath: folder.reportJSON)
        else { return nil }
        return try? ReportCoding.decoder.decode(RunReport.self, from: data)
    }
}

extension RunReport.Process {
    init(_ node: RunStatus.Node) {
        self.init(
            role: node.role.rawValue,
            name: node.name,
            peakMemoryBytes: node.peakMemoryByteCount,
            seconds: RunReport.Seconds(
                compute: node.seconds.compute,
                wait: node.seconds.wait,
                wire: node.seconds.wire
            )
        )
    }
}
