import Checkpoints
import ClusterMessages
import Foundation
import Tensors
import Testing
import ZeroMQ

@testable import ClusterRuntime

@Suite(.serialized, .timeLimit(.minutes(2))) struct CheckpointDownloadTests {
    /// What a process needs to fetch from a coordinator.
    private struct Errand: Codable, Sendable {
        let endpoint: String
        let serverKey: String
        let secretKey: String
        let folder: String

        init(of run: TestRun, at service: CoordinatorService, into folder: String) {
            endpoint = service.controlEndpoint
            serverKey = run.serverKey.text
            secretKey = run.person.secretKey
            self.folder = folder
        }

        func client() throws -> OperatorClient {
            try OperatorClient(
                OperatorOptions(
                    coordinatorEndpoint: endpoint,
                    coordinatorKey: try CurvePublicKey(serverKey),
                    keys: try CurveKeyPair(secretKey: secretKey)
                )
            )
        }

        /// Fetches the checkpoint of round 1.
        ///
        /// - Parameter fault: what the process is to die of.
        func run(fault: String? = nil) async throws -> StoredCheckpoint {
            if let fault { unsafe setenv("FLOWSTEER_FAULT", fault, 1) }
            let client = try client()
            let progress = AsyncStream.makeStream(of: CheckpointProgress.self).continuation
            let checkpoint = try await client.fetch(round: 1, into: folder, progress: progress)
            await client.close()
            return checkpoint
        }

        /// Requests for manifests and chunks that the coordinator has taken in so far.
        func requestCount() async throws -> Int {
            let client = try client()
            // A status tells what the sockets took in when time was last looked at.
            try await Task.sleep(for: .seconds(1))
            let status = try await client.status()
            await client.close()
            return try #require(status.doors.first { $0.name == "checkpoints" }).messages
        }
    }

    /// A coordinator with a checkpoint of round 1.
    private func withCheckpoint(
        _ body: (TestRun, CoordinatorService, _ folder: String) async throws -> Void
    ) async throws {
        try await withRunFolder { folder in
            let run = try TestRun(in: folder)
            try await run.serving { service in
                let round = try await Round(of: run, offering: run.initial, at: service)
                await round.close()
                try await body(run, service, folder)
            }
        }
    }

    /// Chunks that a fetch asks for: files begin with zeros, of which the moments of a young run are made.
    private func wantedChunkCount(_ manifest: CheckpointManifest) -> Int {
        manifest.files.reduce(0) { sum, file in
            sum
                + file.chunkChecksums.enumerated().count { index, checksum in
                    checksum != crc32c([UInt8](repeating: 0, count: file.range(ofChunk: index).count))
                }
        }
    }

    @Test func `a fetch killed in the middle, and started again, asks only for what is missing`() async throws
    {
        try await withCheckpoint { run, service, folder in
            let errand = Errand(of: run, at: service, into: "\(folder)/copy")
            await #expect(processExitsWith: .signal(SIGKILL)) { [errand = errand as Errand] in
                _ = try await errand.run(fault: "rollout-after-checkpoint-chunk:2")
            }
            #expect(try CheckpointStore(reading: errand.folder).rounds() == [])
            let killed = try await errand.requestCount()
            #expect(killed == 1 + 2, "a manifest and two chunks")
            let checkpoint = try await errand.run()
            let chunkCount = wantedChunkCount(checkpoint.manifest)
            let resumed = try await errand.requestCount() - killed
            #expect(chunkCount > 4 && resumed == 1 + chunkCount - 2, "of \(chunkCount) chunks")
            _ = try CheckpointStore(reading: errand.folder).verify(round: 1)
            #expect(try await errand.run().manifestHash == checkpoint.manifestHash)
            #expect(try await errand.requestCount() - killed - resumed == 1, "nothing is missing")
        }
    }

    @Test func `another holder is asked for the chunks, the coordinator for the manifest`() async throws {
        try await withCheckpoint { run, service, folder in
            let errand = Errand(of: run, at: service, into: "\(folder)/holder")
            _ = try await errand.run()
            let before = try await errand.requestCount()
            try await withLoopback(trainer: run.trainer) { loopback in
                try loopback.checkpoints.serve(CheckpointStore(reading: errand.folder))
                let store = try await fetch(by: loopback, from: run, service, into: "\(folder)/copy")
                _ = try store.verify(round: 1)
            }
            #expect(try await errand.requestCount() - before == 1)
        }
    }

    @Test func `a holder that sends other bytes, has nothing, or is away harms nobody`() async throws {
        try await withCheckpoint { run, service, folder in
            let errand = Errand(of: run, at: service, into: "\(folder)/holder")
            let checkpoint = try await errand.run()
            let file = URL(filePath: try checkpoint.path(of: "discriminator.safetensors"))
            var bytes = try Data(contentsOf: file)
            bytes[bytes.count - 1] ^= 1
            try bytes.write(to: file)
            let chunkCount = wantedChunkCount(checkpoint.manifest)
            var before = try await errand.requestCount()
            for fault in ["lies", "empty", "away"] {
                try await withLoopback(trainer: run.trainer) { loopback in
                    if fault == "lies" {
                        try loopback.checkpoints.serve(CheckpointStore(reading: errand.folder))
                    }
                    if fault == "away" { await loopback.vanish() }
                    let store = try await fetch(by: loopback, from: run, service, into: "\(folder)/\(fault)")
                    _ = try store.verify(round: 1)
                }
                let count = try await errand.requestCount()
                let asked = count - before - 1
                before = count
                // Until it lies, a holder is as good as any.
                #expect(fault == "lies" ? (1..<chunkCount).contains(asked) : asked == chunkCount, "\(fault)")
            }
        }
    }

    @Test func `a rollout that has a checkpoint is named to trainers, until it leaves`() async throws {
        try await withCheckpoint { run, service, folder in
            let rollout = try TestNode(keys: run.spares[0])
            let line = try await rollout.connect(to: service.controlEndpoint, serverKey: run.serverKey)
            try await rollout.send(rollout.hello(.rollout, teacher: run.teacher), on: line)
            let welcome = try await rollout.next(on: line) { $0.asWelcome }
            let trainer = try TestNode(keys: run.trainer)
            let trainerLine = try await trainer.connect(
                to: welcome.checkpointEndpoint,
                serverKey: run.serverKey
            )
            let person = try TestNode(keys: run.person)
            let personLine = try await person.connect(
                to: welcome.checkpointEndpoint,
                serverKey: run.serverKey
            )
            func holders(_ node: TestNode, _ line: TestNode.Line) async throws -> [String] {
                try await node.send(.manifestRequest(.round(RoundNumber(1))), on: line)
                return try await node.next(on: line) { $0.asManifest }.holders.map(\.endpoint)
            }
            #expect(try await holders(trainer, trainerLine) == [])
            let held = try #require(welcome.manifestHash)
            try await rollout.send(
                .announce(.init(round: RoundNumber(1), manifestHash: held)),
                on: line
            )
            while try await holders(trainer, trainerLine) != ["tcp://127.0.0.1:9"] {}
            #expect(try await holders(person, personLine) == [])
            try await rollout.send(.goodbye(.init(reason: "done", returningLeases: [])), on: line)
            while try await holders(trainer, trainerLine) != [] {}
            for node in [rollout, trainer, person] { await node.close() }
        }
    }

    /// Fetches round 1 as the trainer, whom the loopback's end is named to.
    private func fetch(
        by loopback: Loopback,
        from run: TestRun,
        _ service: CoordinatorService,
        into folder: String
    ) async throws -> CheckpointStore {
        let person = try Errand(of: run, at: service, into: folder).client()
        let endpoint = try await person.status().checkpointEndpoint
        await person.close()
        let store = try CheckpointStore(folder: folder)
        let holder = loopback.holder
        _ = try await loopback.network.withLink(
            to: endpoint,
            serverKey: run.serverKey.text,
            peer: "the coordinator's checkpoints"
        ) { link in
            let download = CheckpointDownload(link: link, network: loopback.network, store: store)
            let beginning = try await download.begin(.round(RoundNumber(1)))
            return try await download.complete(.init(staged: beginning.staged, holders: [holder]))
        }
        return store
    }
}
