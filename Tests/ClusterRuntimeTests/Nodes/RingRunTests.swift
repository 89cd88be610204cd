import ClusterMessages
import Coordination
import Foundation
import Testing
import ZeroMQ

@testable import ClusterRuntime

/// A coordinator, a rollout and three trainers in one process, over real sockets, whose rounds a ring averages.
@Suite(.serialized, .timeLimit(.minutes(3))) struct RingRunTests {
    private static let trainers = ["trainer", "second", "third"]

    /// Runs it to its end; all files of the newest checkpoint, by name.
    private func complete(
        _ topology: CoordinationSettings.Topology,
        _ exchange: AveragingSettings.Exchange,
        _ rule: AveragingSettings.Rule
    ) async throws -> (files: [String: Data], events: [String]) {
        var run = try SmallRun(rounds: 2)
        (run.topology, run.exchange, run.rule, run.trainerCount) = (topology, exchange, rule, 3)
        defer { run.remove() }
        let service = try await run.coordinator()
        let rollout = try RolloutWorker(run.options("rollout", of: service))
        let trainers = try Self.trainers.map { try TrainerWorker(run.options($0, of: service)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            group.addTask { try await rollout.run() }
            for trainer in trainers { group.addTask { try await trainer.run() } }
            for try await _ in group {}  // The first failure cancels the others.
        }
        var files: [String: Data] = [:]
        for name in ["student", "discriminator", "update_counts", "moments"] {
            files[name] = try Data(contentsOf: URL(filePath: run.file("\(name).safetensors", of: 2)))
        }
        let log = try String(contentsOf: run.folder.appending(path: "run/events.jsonl"), encoding: .utf8)
        return (files, log.split(separator: "\n").map(String.init))
    }

    @Test(arguments: [
        (AveragingSettings.Exchange.float32, AveragingSettings.Rule.mean), (.int8, .nesterov),
    ])
    func `a ring of three commits what the coordinator would have, byte for byte`(
        _ example: (exchange: AveragingSettings.Exchange, rule: AveragingSettings.Rule)
    ) async throws {
        let star = try await complete(.star, example.exchange, example.rule)
        let ring = try await complete(.ring, example.exchange, example.rule)
        #expect(ring.files == star.files)
        let broken = ring.events.filter { $0.contains("ringBroken") }
        #expect(broken.isEmpty, "\(broken)")
        #expect(ring.events.count { $0.contains("roundCommitted") } == 2)
    }
}
