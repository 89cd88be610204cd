import Foundation
import TestSupport
import Testing

/// The benchmarks of the cluster, small: what they report is what happened.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ClusterBenchmarkTests {
    private struct Leases: Decodable {
        struct Phase: Decodable {
            let leases: Int
            let leasesPerSecond: Double
            let committedBatchesPerSecond: Double
            let medianLeaseMilliseconds: Double
            let p99LeaseMilliseconds: Double
            let coordinatorCores: Double
            let coordinatorMemoryBytes: Int
        }

        let workers: Int
        let trainers: Int
        let unpaced: Phase
        let paced: Phase
        let violations: Int
        let refusals: Int
        let audited: String
    }

    private struct Transfer: Decodable {
        let fetched: [Double]
        let pushed: [Double]
        let shareOfRaw: Double
        let processorSecondsPerGigabyte: Double
        let rawProcessorSecondsPerGigabyte: Double
    }

    private struct Stalls: Decodable {
        struct Stall: Decodable {
            struct Role: Decodable {
                let name: String
                let baselineBytes: Int
                let peakBytes: Int
                let growthBytes: Int
            }

            let stalled: String
            let roles: [Role]
            let wentOn: Bool
            let askedBytes: Int
        }

        let stalls: [Stall]
    }

    private func report<Report: Decodable>(_ words: String..., in folder: URL) throws -> Report {
        let outcome = try Program.run(["benchmark", "cluster"] + words + ["--json"], in: folder)
        try #require(outcome.exitCode == 0, "\(outcome.errors)")
        return try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
    }

    @Test func `a coordinator leases to workers that compute nothing, and its ledger is in order`()
        async throws
    {
        try await withTemporaryFolder { folder in
            let report: Leases = try report(
                "leases",
                "--workers",
                "12",
                "--trainers",
                "3",
                "--batches",
                "4",
                "--seconds",
                "1.5",
                "--batch-seconds",
                "0.1",
                "--model",
                Repository.teacher,
                in: folder
            )
            #expect(report.workers == 12 && report.trainers == 3)
            for phase in [report.unpaced, report.paced] {
                #expect(phase.leases > 0 && phase.leasesPerSecond > 0)
                #expect(phase.medianLeaseMilliseconds > 0)
                #expect(phase.p99LeaseMilliseconds >= phase.medianLeaseMilliseconds)
                #expect(phase.coordinatorMemoryBytes > 1 << 20)
            }
            #expect(report.unpaced.committedBatchesPerSecond > 0)
            #expect(report.violations == 0, "\(report.audited)")
            #expect(report.refusals == 0)
        }
    }

    @Test func `trajectories are fetched and raw messages pushed in turns`() async throws {
        try await withTemporaryFolder { folder in
            let report: Transfer = try report(
                "transfer",
                "--kibibytes",
                "2500",
                "--batches",
                "2",
                "--turns",
                "5",
                in: folder
            )
            #expect(report.fetched.count == 5 && report.pushed.count == 5)
            #expect((report.fetched + report.pushed).allSatisfy { $0.isFinite && $0 > 0 })
            #expect(report.shareOfRaw > 0)
            #expect(report.processorSecondsPerGigabyte > 0)
            #expect(report.rawProcessorSecondsPerGigabyte >= 0)
        }
    }

    @Test func `while a role stalls the others' memory is watched, and afterwards rounds go on`() async throws
    {
        try await withTemporaryFolder { folder in
            let report: Stalls = try report(
                "stall",
                "--seconds",
                "1",
                "--batch-samples",
                "16",
                "--model",
                Repository.teacher,
                in: folder
            )
            #expect(
                report.stalls.map(\.stalled) == [
                    "nobody", "the trainer", "the rollout", "the coordinator", "a peer that reads nothing",
                ]
            )
            for stall in report.stalls.dropFirst() {
                #expect(stall.wentOn, "\(stall)")
                #expect(!stall.roles.isEmpty && stall.roles.allSatisfy { $0.baselineBytes > 1 << 20 })
            }
            let last = try #require(report.stalls.last)
            #expect(last.askedBytes > 1 << 30)
            // What was asked for is not held: credits and marks allow 32 pieces of 1 MiB for a peer, and its requests.
            for role in last.roles { #expect(role.growthBytes < 200 << 20, "\(role)") }
        }
    }

    @Test func `options that make no sense are refused`() async throws {
        try await withTemporaryFolder { folder in
            for words in [
                ["leases", "--workers", "1"], ["leases", "--trainers", "500"], ["transfer", "--turns", "0"],
                ["stall", "--seconds", "0"],
            ] {
                let outcome = try Program.run(["benchmark", "cluster"] + words, in: folder)
                #expect(outcome.exitCode == 64 && outcome.errors.contains("expected"), "\(outcome)")
            }
        }
    }
}
