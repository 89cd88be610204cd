import Foundation
import TestSupport
import Testing

/// A run of three trainers that use batches in order, so that it makes the same whoever averages its rounds.
enum RingRun {
    /// How its rounds are averaged.
    enum Topology: String {
        case star, ring
    }

    static let workers = ["rollout-1", "trainer-1", "trainer-2", "trainer-3"]
    private static let rounds = 4

    /// A cluster for it, of which nothing has been started.
    static func cluster(_ topology: Topology, in folder: URL) throws -> Cluster {
        let settings = [
            "training.rounds=\(rounds)", "cluster.assignment=ordered", "cluster.lead_batches=6",
            "training.batch_size=2", "cluster.batch_samples=2", "cluster.trainers_at_start=3",
            "cluster.quorum=1", "cluster.grace=60", "cluster.averaging.moments_period=1",
            "cluster.attempts=100", "cluster.averaging.topology=\(topology.rawValue)",
        ]
        return try Cluster(in: folder, workers: workers, settings: settings)
    }

    /// What the coordinator's average makes when nothing happens; made once for all tests.
    private static let star = Task { () throws -> [String: Data] in
        var files: [String: Data] = [:]
        try await withTemporaryFolder { folder in
            let cluster = try cluster(.star, in: folder)
            try await cluster.start()
            try await cluster.finish()
            files = try cluster.result(ofRound: rounds)
        }
        return files
    }

    /// Waits for the end of a run in a ring, all of whose rounds but one were averaged by its members, and compares what
    /// it made with the coordinator's, byte for byte.
    static func expectEqual(to cluster: Cluster, brokenIn round: Int) async throws {
        try await cluster.finish()
        try cluster.auditIsClean()
        #expect(try cluster.events("ringBroken").compactMap(\.round) == [round], "the others are rings")
        for kind in ["excluded", "voided", "batchDied"] {
            #expect(try cluster.events(kind).isEmpty, "\(kind)")
        }
        let (expected, found) = (try await star.value, try cluster.result(ofRound: rounds))
        #expect(expected.count == 4 && Set(expected.keys) == Set(found.keys))
        for (name, bytes) in expected {
            let isEqual = found[name] == bytes
            #expect(isEqual, "\(name)")
        }
    }
}
