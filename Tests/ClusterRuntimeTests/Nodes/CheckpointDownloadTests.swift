import Checkpoints
import Foundation
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
            let chunkCount = checkpoint.manifest.files.reduce(0) { $0 + $1.chunkChecksums.count }
            let resumed = try await errand.requestCount() - killed
            #expect(chunkCount > 4 && resumed == 1 + chunkCount - 2, "of \(chunkCount) chunks")
            _ = try CheckpointStore(reading: errand.folder).verify(round: 1)
            #expect(try await errand.run().manifestHash == checkpoint.manifestHash)
            #expect(try await errand.requestCount() - killed - resumed == 1, "nothing is missing")
        }
    }
}
