import ClusterMessages
import Foundation
import Testing
import ZeroMQ

@testable import ClusterRuntime

@Suite(.timeLimit(.minutes(1))) struct AuthorizationFileTests {
    /// The test run's list without some of its lines.
    private func write(_ run: TestRun, without names: Set<String>) throws {
        let path = run.options.authorizedNodesPath
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            .filter { !names.contains(String($0.prefix(1))) }
        try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
    }

    @Test func `a key taken off the list loses its session and is not let in again`() async throws {
        try await withRunFolder { folder in
            var run = try TestRun(in: folder)
            run.options.handshakeTime = .milliseconds(500)
            try await run.serving { [run] service in
                let witness = try await Witness(of: run, at: service)
                try await witness.isHeard()
                try write(run, without: ["r"])
                #expect(try await witness.refusal() == .auth)
                let status = try await witness.status()
                #expect(status.nodes.map(\.state) == ["left"])

                let again = try TestNode(keys: run.rollout)
                let line = try await again.connect(to: service.controlEndpoint, serverKey: run.serverKey)
                let former = status.refusals
                try await again.send(again.hello(.rollout, teacher: run.teacher), on: line)
                try await witness.waits(for: \.refusals, above: former)
                #expect(try await witness.status().nodes.map(\.state) == ["left"])
                await again.close()
                await witness.close()
            }
        }
    }

    @Test func `a subscriber whose key is taken off the list hears nothing more, and others do`() async throws
    {
        try await withRunFolder { folder in
            let run = try TestRun(in: folder, rounds: 1)
            try await run.serving { service in
                let nodes = try run.spares.map(TestNode.init)
                var lines: [TestNode.Line] = []
                for node in nodes {
                    let control = try await node.connect(
                        to: service.controlEndpoint,
                        serverKey: run.serverKey
                    )
                    try await node.send(node.hello(.rollout, teacher: run.teacher), on: control)
                    let welcome = try await node.next(on: control) { $0.asWelcome }
                    let endpoint = welcome.announcementEndpoint
                    lines.append(try await node.subscribe(to: endpoint, serverKey: run.serverKey))
                }
                let person = try TestNode(keys: run.person)
                let line = try await person.connect(to: service.controlEndpoint, serverKey: run.serverKey)
                func announcements() async throws -> RunStatus.Door? {
                    try await person.send(.statusRequest, on: line)
                    let status = try await person.next(on: line) { $0.asStatus }
                    return status.doors.first { $0.name == "announcements" }
                }
                while try await announcements()?.admitted ?? 0 < 2 {
                    try await Task.sleep(for: .milliseconds(20))
                }
                try write(run, without: ["s"])
                while try await announcements()?.cut == 0 { try await Task.sleep(for: .milliseconds(20)) }
                #expect(try await announcements()?.cut == 1)
                await person.close()

                let round = try await Round(of: run, offering: run.initial, at: service)
                let hint = try await nodes[1].next(on: lines[1])
                #expect(hint.kind == .announce)
                await round.close()
                for node in nodes { await node.close() }
                await #expect(throws: TestNode.Silence.self) { try await nodes[0].next(on: lines[0]) }
            }
        }
    }

    @Test func `a key that is put on the list comes in without a restart`() async throws {
        try await withRunFolder { folder in
            var run = try TestRun(in: folder)
            run.options.handshakeTime = .milliseconds(300)
            let list = try String(contentsOfFile: run.options.authorizedNodesPath, encoding: .utf8)
            try write(run, without: ["t"])
            try await run.serving { [run] service in
                let trainer = try TestNode(keys: run.trainer)
                let line = try await trainer.connect(to: service.controlEndpoint, serverKey: run.serverKey)
                try await trainer.send(trainer.hello(.trainer, teacher: run.teacher), on: line)
                try list.write(
                    toFile: run.options.authorizedNodesPath,
                    atomically: true,
                    encoding: .utf8
                )
                #expect(try await trainer.next(on: line) { $0.asWelcome }.node == NodeID(1))
                await trainer.close()
            }
        }
    }

    @Test func `a list that cannot be read leaves things as they were, and the log says why`() async throws {
        try await withRunFolder { folder in
            let run = try TestRun(in: folder)
            try await run.serving { service in
                let witness = try await Witness(of: run, at: service)
                try "r rollout\n".write(
                    toFile: run.options.authorizedNodesPath,
                    atomically: true,
                    encoding: .utf8
                )
                let events = LocalRunFolder(run.options.runFolder)
                while !events.readJournal().contains(where: { $0.kind == "complaint" }) {
                    try await Task.sleep(for: .milliseconds(20))
                }
                let complaint = events.readJournal().first { $0.kind == "complaint" }?.text ?? ""
                #expect(complaint.contains("nodes:1: expected `name role public-key`, got 2 words"))
                try await witness.isHeard()
                await witness.close()
            }
        }
    }
}
