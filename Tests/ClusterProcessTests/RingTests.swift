import Foundation
import TestSupport
import Testing

/// Three trainers that average among themselves, and lose one of them in the middle of that.
@Suite(.serialized, .timeLimit(.minutes(5))) struct RingTests {
    private static let rounds = 4
    private static let workers = ["rollout-1", "trainer-1", "trainer-2", "trainer-3"]
    private static let settings = [
        "training.rounds=\(rounds)", "cluster.assignment=ordered", "cluster.lead_batches=6",
        "training.batch_size=2", "cluster.batch_samples=2", "cluster.trainers_at_start=3", "cluster.quorum=1",
        "cluster.grace=60", "cluster.averaging.moments_period=1", "cluster.attempts=100",
    ]

    @Test func `a trainer that dies while others fetch from it costs no byte, nor do rings`() async throws {
        try await withTemporaryFolder { folder in
            let star = try cluster("star", in: folder, topology: "star")
            try await star.start()
            try await star.finish()

            let ring = try cluster("ring", in: folder, topology: "ring")
            // The second piece of its offer that somebody wants.
            ring.machines["trainer-2"] = .init(environment: ["FLOWSTEER_FAULT": "trainer-serving-ring:2"])
            try await ring.start()
            try await ring.eventually("trainer-2 kills itself") { !ring.isRunning("trainer-2") }
            let broken = try ring.committed() + 1
            ring.machines["trainer-2"] = nil
            try await ring.join("trainer-2")
            try await ring.finish()
            try ring.auditIsClean()
            #expect(try ring.events("ringBroken").compactMap(\.round) == [broken], "the others are rings")
            for kind in ["excluded", "voided", "batchDied"] {
                #expect(try ring.events(kind).isEmpty, "\(kind)")
            }

            let (expected, found) = (
                try star.result(ofRound: Self.rounds), try ring.result(ofRound: Self.rounds)
            )
            #expect(expected.count == 4 && Set(expected.keys) == Set(found.keys))
            for (name, bytes) in expected {
                let isEqual = found[name] == bytes
                #expect(isEqual, "\(name)")
            }
        }
    }

    private func cluster(_ name: String, in folder: URL, topology: String) throws -> Cluster {
        let inner = folder.appending(path: name)
        try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
        return try Cluster(
            in: inner,
            workers: Self.workers,
            settings: Self.settings + ["cluster.averaging.topology=\(topology)"]
        )
    }
}
