import Foundation
import TestSupport
import Testing

/// What a cluster of one rollout and one trainer makes when nothing happens to it.
///
/// One trainer, a plain mean, one batch at a time: nothing depends on who is quicker, so a run that was disturbed on
/// its wires makes the same, as long as no batch is late.
enum CalmRun {
    static let rounds = 8
    static let settings = ["training.rounds=\(rounds)", "cluster.lead_batches=1"]

    /// What a run made, by file, and of what.
    private struct Result {
        /// One use of a batch.
        struct Use: Equatable, CustomStringConvertible {
            let round: Int?
            let batch: Int?

            var description: String { "\(round ?? -1):\(batch ?? -1)" }
        }

        let files: [String: Data]
        /// In order.
        let uses: [Use]
        /// Batches that were assigned more than once, or whose holder lost them.
        let returned: Set<Int>

        init(_ cluster: Cluster) throws {
            files = try cluster.result(ofRound: rounds)
            uses = try cluster.events("consumed").map { Use(round: $0.round, batch: $0.batch) }
            let assigned = Dictionary(grouping: try cluster.events("assigned").compactMap(\.batch)) { $0 }
            returned = Set(assigned.filter { $1.count > 1 }.keys)
                .union(try cluster.events("trajectoryLost").compactMap(\.batch))
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

    /// Waits for the end of another run, which used the same batches as often, and compares the results byte for byte.
    ///
    /// Draws go by the order of batches. It may differ only where one was put back, because its fetch failed or its
    /// holder lost it, so that it came after the next; then the results do.
    static func expectEqual(to cluster: Cluster, sourceLocation: SourceLocation = #_sourceLocation)
        async throws
    {
        try await cluster.finish()
        try cluster.auditIsClean(sourceLocation: sourceLocation)
        let (calm, other) = (try await shared.value, try Result(cluster))
        func batches(_ result: Result) -> [Int] { result.uses.compactMap(\.batch).sorted() }
        #expect(batches(other) == batches(calm), "\(other.uses)", sourceLocation: sourceLocation)
        guard other.uses == calm.uses else {
            let moved = zip(calm.uses, other.uses).filter { $0 != $1 }.flatMap { [$0.batch, $1.batch] }
            #expect(
                !other.returned.isDisjoint(with: moved.compactMap { $0 }),
                "\(other.uses) instead of \(calm.uses), put back: \(other.returned)",
                sourceLocation: sourceLocation
            )
            return
        }
        for (name, bytes) in calm.files {
            let isEqual = other.files[name] == bytes
            #expect(isEqual, "\(name)", sourceLocation: sourceLocation)
        }
    }
}
