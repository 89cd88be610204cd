import Foundation
import TestSupport
import Testing

/// A cluster under random faults, one after another, which may overlap in what they do.
///
/// `FLOWSTEER_SOAK_FAULTS=400 FLOWSTEER_SOAK_SEED=7` makes it longer, and the same again: faults and pauses follow
/// from the seed, what the processes make of them does not. `FLOWSTEER_SOAK_MINUTES=60` goes on for as long instead,
/// `FLOWSTEER_SOAK_FOLDER` names a new folder that is kept, and `FLOWSTEER_TEST_PROGRAM` another build of the program.
/// Each fault is printed when work goes on after it. SIGINT or SIGTERM ends it as if all faults had happened, where it is
/// sent to `flowsteerPackageTests.xctest`: `swift test` shows nothing more after one.
@Suite(.serialized, .timeLimit(.minutes(1_440))) struct SoakTests {
    private static let environment = ProcessInfo.processInfo.environment

    /// A number that the environment states; nil where it does not.
    private static func number<Number: LosslessStringConvertible>(_ name: String) throws -> Number? {
        guard let text = environment["FLOWSTEER_SOAK_\(name)"] else { return nil }
        let number: Number = try #require(
            Number(text),
            "FLOWSTEER_SOAK_\(name) is '\(text)', expected a number"
        )
        return number
    }

    @Test func `a run under random faults is completed, and its books are in order`() async throws {
        let minutes: Double? = try Self.number("MINUTES")
        let count = try Self.number("FAULTS") ?? (minutes == nil ? 25 : Int.max)
        let seed: UInt64 = try Self.number("SEED") ?? .random(in: 0..<1_000_000)
        let request = StopRequest()
        defer { withExtendedLifetime(request) {} }
        try await Self.withFolder { folder in
            let soak = try Soak(in: folder, seed: seed)
            defer { soak.end() }
            try await soak.cluster.start()
            try await soak.cluster.commits(1)
            let end = minutes.map { ContinuousClock.now + .seconds($0 * 60) }
            do {
                while soak.injections.count < count, !request.isMade {
                    if let end, .now >= end { break }
                    try await soak.injectNext()
                }
                let books = try await soak.settle()
                Soak.tell("soak, seed \(seed):\n\(try soak.report())\n\(books)")
            } catch {
                Soak.tell("soak, seed \(seed), failed:\n\((try? soak.report()) ?? "")")
                Issue.record("seed \(seed), after fault \(soak.injections.count)\n\(soak.scene)")
                throw error
            }
        }
    }

    private static func withFolder(_ body: (URL) async throws -> Void) async throws {
        guard let path = environment["FLOWSTEER_SOAK_FOLDER"] else {
            return try await withTemporaryFolder(body)
        }
        let folder = URL(filePath: path, directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        try await body(folder)
    }
}
