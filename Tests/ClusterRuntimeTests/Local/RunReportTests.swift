import ClusterMessages
import Evaluation
import Foundation
import Testing

@testable import ClusterRuntime

struct RunReportTests {
    private let report: RunReport

    init() throws {
        var status = RunStatus(runID: "run", rounds: 3)
        status.elapsed = 100
        status.peakMemoryByteCount = 1 << 20
        status.trajectories.total = 640
        status.round = RoundNumber(3)
        var rollout = RunStatus.Node(id: NodeID(1), name: "rollout-1", role: .rollout, state: "left")
        rollout.seconds = RunStatus.Seconds(compute: 50, wait: 5, wire: 1)
        rollout.peakMemoryByteCount = 2 << 20
        var trainer = RunStatus.Node(id: NodeID(2), name: "trainer-1", role: .trainer, state: "left")
        trainer.seconds = RunStatus.Seconds(compute: 60, wait: 7, wire: 2)
        status.nodes = [rollout, trainer]
        report = RunReport(
            evaluation: [
                EvaluationRow(
                    method: "student",
                    functionEvaluations: 4,
                    distanceToTeacher: DistanceStatistics(mean: 0.2, low: 0.1, high: 0.3)
                )
            ],
            status: status,
            journal: try [
                #"{"kind": "roundOpened", "round": 1, "time": 2}"#,
                #"{"kind": "offered", "round": 1, "node": 2, "time": 9}"#,
                #"{"kind": "offered", "round": 1, "node": 3, "time": 9.5}"#,
                #"{"kind": "roundClosed", "round": 1, "time": 10}"#,
                #"{"kind": "roundCommitted", "round": 1, "time": 10.5}"#,
                #"{"kind": "losses", "round": 1, "time": 10.5, "steps": 40, "losses": {"distillation": 0.25}}"#,
                #"{"kind": "roundOpened", "round": 2, "time": 12}"#,
                #"{"kind": "roundOpened", "round": 2, "time": 13}"#,
                #"{"kind": "offered", "round": 2, "node": 2, "time": 19}"#,
                #"{"kind": "roundClosed", "round": 2, "time": 20}"#,
            ].map { try JSONDecoder().decode(JournalLine.self, from: Data($0.utf8)) },
            configuration: RunConfiguration(modelPath: "/teacher")
        )
    }

    @Test func `the report has the agreed names`() throws {
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(report.json())) as? [String: Any]
        )
        let row = try #require((json["evaluation"] as? [[String: Any]])?.first)
        #expect(row["method"] as? String == "student")
        #expect(row["functionEvaluations"] as? Int == 4)
        #expect(row["distanceToTeacher"] as? [String: Double] == ["mean": 0.2, "low": 0.1, "high": 0.3])
        let processes = try #require(json["processes"] as? [[String: Any]])
        #expect(processes.map { $0["role"] as? String } == ["coordinator", "rollout", "trainer"])
        #expect(processes[1]["peakMemoryBytes"] as? Int == 2 << 20)
        #expect(processes[1]["seconds"] as? [String: Double] == ["compute": 50, "wait": 5, "wire": 1])
        #expect(processes[0]["seconds"] as? [String: Double] == ["compute": 0.5, "wait": 99.5, "wire": 0])
        #expect((json["configuration"] as? String)?.contains("model: \"/teacher\"") == true)
    }

    @Test func `time is split into rollout, training, averaging and waiting`() {
        #expect(
            report.wallClock
                == RunReport.WallClock(total: 100, rollout: 50, train: 60, average: 0.5, wait: 12)
        )
        #expect(report.losses == [RunReport.Round(round: 1, steps: 40, losses: ["distillation": 0.25])])
    }

    @Test func `averaging lasts from a round's first offer until its trainers go on`() {
        // Round 2 is not committed.
        let first = AveragingTime(rounds: 1, seconds: 10, committing: 1.5, resuming: 1.5)
        #expect(report.averaging == first)
        #expect(report.averaging.share == 0.3)
        #expect(report.markdown.contains("Averaging: 30.0 % of the time of 1 rounds (10.0 s): 1.50 s"))
    }

    @Test func `the last round ends with its commit, and a round of unknown beginning counts for nothing`()
        throws
    {
        let lines = try [
            #"{"kind": "offered", "round": 4, "node": 2, "time": 1}"#,
            #"{"kind": "roundCommitted", "round": 4, "time": 2}"#,
            #"{"kind": "roundOpened", "round": 5, "time": 3}"#,
            #"{"kind": "offered", "round": 5, "node": 2, "time": 11}"#,
            #"{"kind": "roundCommitted", "round": 5, "time": 13}"#,
        ].map { try JSONDecoder().decode(JournalLine.self, from: Data($0.utf8)) }
        let last = AveragingTime(rounds: 1, seconds: 10, committing: 2, resuming: 0)
        #expect(RoundTimes(lines).total == last)
    }

    @Test func `the page for people has the table, the processes and the losses`() {
        let page = report.markdown
        #expect(page.contains("| student | 4 | 0.2000 | 0.1000 … 0.3000 |"))
        #expect(page.contains("| trainer-1 | trainer |"))
        #expect(page.contains("| 1 | 40 | 0.25000 |"))
        #expect(page.contains("```yaml\nmodel: \"/teacher\"\n"))
    }
}
