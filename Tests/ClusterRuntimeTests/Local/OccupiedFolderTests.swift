import Foundation
import TestSupport
import Testing

@testable import ClusterRuntime

struct OccupiedFolderTests {
    @Test func `a folder in which a run goes on is left as it is`() async throws {
        let folder = NSTemporaryDirectory() + "local-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let run = LocalRunFolder(folder)
        try Data("where it is".utf8).write(to: URL(filePath: run.coordinator))
        let ledger = try Ledger(folder: folder)
        let options = LocalRunOptions(
            configurationPath: "never",
            overrides: [],
            modelPath: "never",
            runFolder: run,
            rollouts: 1,
            trainers: 1,
            lanes: 1,
            executable: "/bin/false"
        )
        let cluster = LocalCluster(options, faults: try FaultPlan(environment: [:]), patience: .zero)
        await #expect(throws: CoordinatorError.folderInUse(path: ledger.path)) { try await cluster.run() }
        #expect(FileManager.default.fileExists(atPath: run.coordinator))
        #expect(!FileManager.default.fileExists(atPath: run.keys))
        try ledger.close()
    }
}
