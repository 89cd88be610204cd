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

    /// What a run made, by file, and the batches it made it of, in order.
    private struct Result {
        let files: [String: Data]
        let batches: [String]

        init(_ cluster: Cluster) throws {
            files = try cluster.result(ofRound: rounds)
            batches = try cluster.events("consumed").map { "\($0.round ?? 0):\($0.batch ?? 0)" }
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

    /// Waits for the end of another run, which used the same batches as often, and compares.
    ///
    /// A batch whose fetch failed comes after the next, and draws go by the order: results are compared byte for byte
    /// where the batches came in the calm run's.
    static func expectEqual(to cluster: Cluster, sourceLocation: SourceLocation = #_sourceLocation)
        async throws
    {
        try await cluster.finish()
        try cluster.auditIsClean(sourceLocation: sourceLocation)
        func used(_ result: Result) -> [Substring?] {
            result.batches.map { $0.split(separator: ":").last }.sorted { $0 ?? "" < $1 ?? "" }
        }
        let (calm, other) = (try await shared.value, try Result(cluster))
        #expect(used(other) == used(calm), "\(other.batches)", sourceLocation: sourceLocation)
        guard other.batches == calm.batches else { return }
        for (name, bytes) in calm.files {
            let isEqual = other.files[name] == bytes
            #expect(isEqual, "\(name)", sourceLocation: sourceLocation)
        }
    }
}
