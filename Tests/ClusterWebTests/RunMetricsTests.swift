import ClusterMessages
import Foundation
import TestSupport
import Testing

@testable import ClusterRuntime
@testable import ClusterWeb

struct RunMetricsTests {
    /// A status in which every family has a number.
    private static var status: RunStatus {
        var status = RunStatus(runID: "run", rounds: 6)
        status.round = RoundNumber(2)
        status.losses = ["distillation": 0.5]
        status.batches.dead = 1
        var node = RunStatus.Node(id: NodeID(1), name: "rollout \"1\"", role: .rollout, state: "alive")
        node.seconds.wait = 1.5
        node.samples = 64
        status.nodes = [node]
        status.doors = [
            RunStatus.Door(name: "control", messages: 2, byteCount: 80, sentByteCount: 40, tooFast: 3)
        ]
        status.figures.freshUses = 3
        status.figures.repeatedUses = 1
        status.figures.fetchedByteCount = 1000
        status.figures.recommendedRollouts = 2
        status.figures.lastCheckpointTime = 1_700_000_000
        status.figures.events = ["roundCommitted": 2, "excluded": 1]
        status.figures.note(CommitTimes(average: .seconds(1), files: .seconds(2), ledger: .seconds(3)))
        return status
    }

    @Test func `every metric has the program's prefix, a help, a type and a name of its kind`() {
        let families = RunMetrics(Self.status).families
        #expect(Set(families.map(\.name)).count == families.count)
        for family in families {
            #expect(family.name.hasPrefix("flowsteer_"))
            #expect(family.help.hasSuffix("."), "\(family.name)")
            #expect((family.kind == .counter) == family.name.hasSuffix("_total"), "\(family.name)")
            if family.kind == .histogram { #expect(family.name.hasSuffix("_seconds")) }
        }
        let text = PrometheusText.render(families)
        for family in families {
            #expect(
                text.contains("# TYPE \(family.name) \(family.kind.rawValue)\n"),
                "\(family.name) has a number"
            )
        }
    }

    @Test(arguments: [
        "flowsteer_round 2", "flowsteer_loss{term=\"distillation\"} 0.5", "flowsteer_dead_letters 1",
        "flowsteer_nodes{role=\"rollout\",state=\"alive\"} 1",
        "flowsteer_nodes{role=\"trainer\",state=\"dead\"} 0",
        "flowsteer_node_seconds_total{node=\"rollout \\\"1\\\"\",role=\"rollout\",activity=\"wait\"} 1.5",
        "flowsteer_bytes_total{plane=\"control\",direction=\"out\"} 40",
        "flowsteer_bytes_total{plane=\"trajectories\",direction=\"fetched\"} 1000",
        "flowsteer_protocol_errors_total{plane=\"control\",code=\"too_fast\"} 3",
        "flowsteer_fresh_fraction 0.75", "flowsteer_rollouts_recommended 2",
        "flowsteer_offers_total{result=\"excluded\"} 1", "flowsteer_run_state{state=\"running\"} 1",
        "flowsteer_checkpoint_last_success_timestamp_seconds 1700000000",
        "flowsteer_checkpoint_seconds_sum{phase=\"files\"} 2",
        "flowsteer_events_total{kind=\"roundCommitted\"} 2", "flowsteer_events_total{kind=\"died\"} 0",
    ])
    func `a status's figures are its metrics'`(line: String) {
        let lines = PrometheusText.render(RunMetrics(Self.status).families).split(separator: "\n")
        #expect(lines.contains(Substring(line)))
    }

    private static let promtool = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    @Test(.enabled(if: promtool != nil, "promtool is not installed: Debian has it in 'prometheus'"))
    func `promtool finds nothing to say about the metrics`() throws {
        let process = Process()
        process.executableURL = URL(filePath: try #require(Self.promtool))
        process.arguments = ["check", "metrics"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
        try input.fileHandleForWriting.write(
            contentsOf: Data(PrometheusText.render(RunMetrics(Self.status).families).utf8)
        )
        try input.fileHandleForWriting.close()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(String(decoding: said, as: UTF8.self).isEmpty, "\(String(decoding: said, as: UTF8.self))")
    }
}
