import Foundation
import TestSupport
import Testing

/// What a cluster of one rollout and one trainer makes when nothing happens to it.
///
/// One trainer, a plain mean, one batch at a time: nothing depends on who is quicker, so any run that was only
/// disturbed on its wires makes the same.
enum CalmRun {
    static let rounds = 8
    static let settings = ["training.rounds=\(rounds)", "cluster.lead_batches=1"]

    private static let shared = Task { () throws -> [String: Data] in
        let folder = FileManager.default.temporaryDirectory.appending(path: "flowsteer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let cluster = try Cluster(in: folder, settings: settings)
        try await cluster.start()
        try await cluster.finish()
        return try cluster.result(ofRound: rounds)
    }

    /// Its parameters, by file; made once for all tests.
    static var result: [String: Data] { get async throws { try await shared.value } }

    /// Waits for the end of another run and compares.
    static func expectEqual(to cluster: Cluster, sourceLocation: SourceLocation = #_sourceLocation)
        async throws
    {
        try await cluster.finish()
        try cluster.auditIsClean(sourceLocation: sourceLocation)
        let (calm, other) = (try await result, try cluster.result(ofRound: rounds))
        for (name, bytes) in calm {
            #expect(other[name] == bytes, "\(name)", sourceLocation: sourceLocation)
        }
    }
}
