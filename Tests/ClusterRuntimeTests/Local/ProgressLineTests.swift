import ClusterMessages
import Testing

@testable import ClusterRuntime

struct ProgressLineTests {
    @Test func `progress names round, losses, rate and time left`() {
        var status = RunStatus(runID: "run", rounds: 30)
        status.round = RoundNumber(12)
        status.losses = ["distillation": 0.01234]
        status.trajectories.total = 640
        status.trajectories.perSecond = 3.14
        status.secondsLeft = 200.4
        #expect(
            ProgressLine(status).text
                == "round 12/30  distillation 0.0123  640 trajectories, 3.1/s  3 min 20 s left"
        )
    }

    @Test func `a status tells what nodes do, and only that of those that have gone`() {
        var status = RunStatus(runID: "run", rounds: 1)
        status.nodes = ["alive", "left", "dead"].enumerated().map { number, state in
            let id = NodeID(rawValue: UInt32(number))
            var node = RunStatus.Node(id: id, name: "trainer", role: .trainer, state: state)
            node.activity = "round 1, step 2 of 3"
            return node
        }
        let lines = status.text.split(separator: "\n").suffix(3)
        #expect(
            lines == [
                "node 0     trainer, trainer, alive: round 1, step 2 of 3",
                "node 1     trainer, trainer, left",
                "node 2     trainer, trainer, dead",
            ]
        )
    }

    @Test func `a teacher's training names step, loss, rate and time left`() {
        let line = ProgressLine(step: 12, of: 300, loss: 0.12352, rate: 75.21, secondsLeft: 62)
        #expect(line.text == "step 12/300  loss 0.1235  75.2 pictures/s  1 min 2 s left")
    }

    @Test(arguments: [(59.6, "1 min 0 s left"), (12, "12 s left"), (7260, "2 h 1 min left")])
    func `time left is for people`(seconds: Double, text: String) {
        var status = RunStatus(runID: "run", rounds: 1)
        status.secondsLeft = seconds
        #expect(ProgressLine(status).text.hasSuffix("  " + text))
        status.secondsLeft = nil
        #expect(ProgressLine(status).text.hasSuffix("/s"))
    }
}
