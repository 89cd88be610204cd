import Foundation
import TestSupport
import Testing

/// What a cluster of one rollout and one trainer makes when nothing happens to it.
///
/// Batches are used in order of number, so a run that was disturbed on its wires makes the same.
enum CalmRun {
    static let rounds = 8
    static let settings = [
        "training.rounds=\(rounds)", "cluster.lead_batches=2", "cluster.assignment=ordered",
        // A process that begins anew, or goes back, has the past of the one before.
        "cluster.averaging.moments_period=1",
    ]

    /// What a run made, by file, and of what.
    private struct Result {
        /// One use of a batch.
        struct Use: Equatable, CustomStringConvertible {
            let round: Int?
            let batch: Int?
            let number: Int?

            var description: String { "\(round ?? -1):\(batch ?? -1)#\(number ?? -1)" }
        }

        let files: [String: Data]
        /// In order, without those of rounds that were taken back; a trainer that was away tells of its uses again.
        let uses: [Use]

        init(_ cluster: Cluster) throws {
            files = try cluster.result(ofRound: rounds)
            uses = try cluster.journal().reduce(into: []) { uses, event in
                if event.kind == "rewound" { uses.removeAll { $0.round ?? 0 > event.round ?? 0 } }
                guard event.kind == "consumed" else { return }
                let use = Use(round: event.round, batch: event.batch, number: event.use)
                if !uses.contains(use) { uses.append(use) }
            }
        }
    }

    /// Made once for all tests.
    private static let shared = Task { () throws -> Result in
        let folder = FileManager.default.temporaryDirectory.appending(path: "flowsteer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let cluster = try Cluster(in: folder, settings: settings)
        try await cluster.start()
        try await cluster.finish()
        return try Result(cluster)
    }

    /// Waits for the end of another run, which used the same batches as often and in the same order, and compares the
    /// results byte for byte.
    static func expectEqual(to cluster: Cluster, sourceLocation: SourceLocation = #_sourceLocation)
        async throws
    {
        try await cluster.finish()
        try cluster.auditIsClean(sourceLocation: sourceLocation)
        let (calm, other) = (try await shared.value, try Result(cluster))
        #expect(other.uses == calm.uses, sourceLocation: sourceLocation)
        for (name, bytes) in calm.files {
            let isEqual = other.files[name] == bytes
            #expect(isEqual, "\(name)", sourceLocation: sourceLocation)
        }
    }
}
