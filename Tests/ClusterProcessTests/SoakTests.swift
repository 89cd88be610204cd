import Foundation
import TestSupport
import Testing

/// A cluster under random faults, one after another, which may overlap in what they do.
///
/// `FLOWSTEER_SOAK_FAULTS=400 FLOWSTEER_SOAK_SEED=7` makes it longer, and the same again: faults and pauses follow
/// from the seed, what the processes make of them does not.
@Suite(.serialized, .timeLimit(.minutes(120))) struct SoakTests {
    @Test func `a run under random faults is completed, and its books are in order`() async throws {
        let environment = ProcessInfo.processInfo.environment
        let count = environment["FLOWSTEER_SOAK_FAULTS"].flatMap { Int($0) } ?? 25
        let seed = environment["FLOWSTEER_SOAK_SEED"].flatMap { UInt64($0) } ?? .random(in: 0..<1_000_000)
        try await withTemporaryFolder { folder in
            let soak = try Soak(in: folder, seed: seed)
            defer { soak.end() }
            try await soak.cluster.start()
            try await soak.cluster.commits(1)
            do {
                while soak.injections.count < count { try await soak.injectNext() }
                try await soak.settle()
            } catch {
                Issue.record("seed \(seed), fault \(soak.injections.count) of \(count)\n\(soak.scene)")
                throw error
            }
            print("soak, seed \(seed):\n\(try soak.report())")
        }
    }
}
