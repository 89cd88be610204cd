import Checkpoints
import ClusterMessages
import Testing
import ZeroMQ

@testable import ClusterRuntime

@Suite(.serialized, .timeLimit(.minutes(1))) struct OperatorClientTests {
    private func client(_ keys: CurveKeyPair, of run: TestRun, at endpoint: String) throws -> OperatorClient {
        var options = OperatorOptions(
            coordinatorEndpoint: endpoint,
            coordinatorKey: run.serverKey,
            keys: keys
        )
        options.patience = .seconds(2)
        return try OperatorClient(options)
    }

    @Test func `a person pauses a run, sees that it is paused, and lets it go on`() async throws {
        try await withRunFolder { folder in
            let run = try TestRun(in: folder)
            try await run.serving { service in
                let person = try client(run.person, of: run, at: service.controlEndpoint)
                #expect(try await person.status().state == .running)
                #expect(try await person.command(.pause).state == .paused)
                let status = try await person.status()
                #expect(status.state == .paused)
                #expect(status.text.contains("paused"))
                #expect(!status.waitingOn.isEmpty)
                #expect(try await person.command(.resume).state == .running)
                await person.close()
            }
        }
    }

    @Test func `a trainer's key commands nothing`() async throws {
        try await withRunFolder { folder in
            let run = try TestRun(in: folder)
            try await run.serving { service in
                let trainer = try client(run.trainer, of: run, at: service.controlEndpoint)
                let error = await #expect(throws: NodeError.self) { try await trainer.command(.pause) }
                guard case .refused(.auth, _)? = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
                await trainer.close()
            }
        }
    }

    @Test func `a person fetches the newest checkpoint, byte for byte`() async throws {
        try await withRunFolder { folder in
            let run = try TestRun(in: folder)
            try await run.serving { service in
                let round = try await Round(of: run, offering: run.initial, at: service)
                await round.close()
                let person = try client(run.person, of: run, at: service.controlEndpoint)
                let (steps, progress) = AsyncStream.makeStream(of: CheckpointProgress.self)
                let fetched = try await person.fetch(round: nil, into: "\(folder)/copy", progress: progress)
                let store = try CheckpointStore(reading: "\(folder)/copy")
                #expect(try store.verify(round: 1).manifestHash == fetched.manifestHash)
                var last: CheckpointProgress?
                for await step in steps { last = step }
                #expect(last?.fetchedByteCount == fetched.manifest.byteCount)
                let none = AsyncStream.makeStream(of: CheckpointProgress.self).continuation
                await #expect(throws: NodeError.self) {
                    try await person.fetch(round: 9, into: "\(folder)/copy", progress: none)
                }
                await person.close()
            }
        }
    }

    @Test func `nobody there is said after the patience`() async throws {
        try await withRunFolder { folder in
            let run = try TestRun(in: folder)
            let person = try client(run.person, of: run, at: "tcp://127.0.0.1:9")
            await #expect(
                throws: NodeError.coordinatorUnreachable(
                    endpoint: "tcp://127.0.0.1:9",
                    silence: .seconds(2)
                )
            ) { try await person.status() }
            await person.close()
        }
    }
}
