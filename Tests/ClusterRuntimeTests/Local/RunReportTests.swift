import ClusterMessages
import Distillation
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
        var door = RunStatus.Door(name: "control")
        door.byteCount = 3 << 20
        status.doors = [door]
        status.figures.fetchedByteCount = 5 << 20
        status.figures.evaluations.teacherPerTrajectory = 64
        status.figures.evaluations.studentPerSample = 1
        status.figures.evaluations.teacherPerSample = 2
        status.figures.evaluations.criticPerSample = 0.5
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
                #"{"kind": "consumed", "round": 1, "batch": 1, "use": 1, "samples": 3, "time": 4}"#,
                #"{"kind": "consumed", "round": 1, "batch": 1, "use": 2, "samples": 5, "time": 5}"#,
                #"{"kind": "roundOpened", "round": 2, "time": 12}"#,
                #"{"kind": "roundOpened", "round": 2, "time": 13}"#,
                #"{"kind": "offered", "round": 2, "node": 2, "time": 19}"#,
                #"{"kind": "roundClosed", "round": 2, "time": 20}"#,
            ].map { try JSONDecoder().decode(JournalLine.self, from: Data($0.utf8)) },
            configuration: RunConfiguration(modelPath: "/teacher<&>"),
            processorSeconds: 7200
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
        #expect((json["configuration"] as? String)?.contains("model: \"/teacher<&>\"") == true)
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
        #expect(page.contains("```yaml\nmodel: \"/teacher<&>\"\n"))
    }

    @Test func `costs are counted: evaluations, core-hours, bytes`() {
        // 4 segments of 8 steps, guided, of 640 trajectories; 8 samples.
        #expect(
            report.costs.evaluations
                == RunCosts.Evaluations(teacher: 640 * 4 * 8 * 2 + 8 * 2, student: 8, critic: 4)
        )
        #expect(report.costs.trainedSamples == 8)
        let lines = report.costs.lines.map { "\($0.what): \($0.amount)" }
        #expect(lines.contains("core-hours, evaluation included: 2.00"))
        #expect(lines.contains("trajectories fetched from rollouts: 5.0 MiB"))
        #expect(lines.contains("coordinator, control: 3.0 MiB in, 0.0 MiB out"))
        #expect(report.markdown.contains("| core-hours, evaluation included | 2.00 |"))
    }

    @Test func `a run whose evaluations nobody counted says nothing of them`() {
        func costs(_ count: (inout RunFigures.Evaluations) -> Void) -> RunCosts {
            var status = RunStatus(runID: "run", rounds: 1)
            status.trajectories.total = 1
            count(&status.figures.evaluations)
            let configuration = RunConfiguration(modelPath: "/teacher")
            return RunReport(evaluation: [], status: status, journal: [], configuration: configuration).costs
        }
        #expect(costs { $0.teacherPerTrajectory = 128 }.evaluations?.teacher == 128)
        #expect(costs { $0.teacherPerTrajectory = 111.6 }.evaluations?.teacher == 112)
        #expect(costs { _ in }.evaluations == nil)
        #expect(costs { _ in }.lines.allSatisfy { !$0.what.contains("evaluations of") })
    }

    @Test func `the page asks for nothing, and shows what is foreign as text`() {
        let page = report.page(sheet: Array("PNG".utf8))
        for tag in ["main", "section", "table", "tr", "svg", "figure", "pre", "div"] {
            let opened =
                page.components(separatedBy: "<\(tag)>").count
                + page.components(separatedBy: "<\(tag) ").count
            #expect(opened - 1 == page.components(separatedBy: "</\(tag)>").count, "\(tag)")
        }
        #expect(page.contains("model: &quot;/teacher&lt;&amp;&gt;&quot;"))
        #expect(!page.contains("/teacher<"))
        #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("<script"))
        #expect(page.contains("src=\"data:image/png;base64,UE5H\""))
        #expect(page.contains("<td>student</td><td>4</td><td>0.2000</td>"))
        #expect(page.contains("aria-label=\"distillation by round\""))
        #expect(page.contains("flowsteer local --config config.yaml --run again --rollouts 1 --trainers 1"))
        #expect(!report.page(sheet: []).contains("<img"))
    }

    @Test func `a chart leaves out what is no number`() {
        #expect(ReportChart.curve([], title: "nothing").isEmpty)
        #expect(ReportChart.curve([(1, .nan)], title: "nothing").isEmpty)
        let curve = ReportChart.curve([(1, 2), (2, .infinity), (3, 4)], title: "a < b")
        #expect(curve.components(separatedBy: "<circle").count == 3)
        #expect(!curve.contains("inf") && curve.contains("a &lt; b"))
        let single = ReportChart.curve([(7, 0)], title: "one")
        #expect(single.components(separatedBy: "<circle").count == 2 && !single.contains("nan"))
        #expect(ReportChart.bars([("student", 0, 0, 0)], title: "nothing").isEmpty)
    }
}
