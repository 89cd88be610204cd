import ClusterMessages
import Coordination
import Distillation
import Foundation
import Glibc
import ZeroMQ

/// How much memory each role takes while another one stalls.
///
/// A real cluster of processes trains on a small run. One process after the other is stopped (SIGSTOP) for a while, which
/// is longer than the coordinator takes to give it up, and goes on; then a peer with a trainer's key asks the rollout and
/// the coordinator for far more than it may and reads nothing of it.
package struct StallBenchmark: Sendable {
    /// What is asked for.
    package struct Settings: Sendable {
        /// The `flowsteer` program.
        package var executable: String
        /// The teacher's folder.
        package var modelPath: String
        /// Seconds of each stall.
        package var seconds = 8.0
        /// Samples of a batch, whose trajectories the stalled peer is sent.
        package var batchSamples = 64

        package init(executable: String, modelPath: String) {
            self.executable = executable
            self.modelPath = modelPath
        }
    }

    /// Time the cluster has for its first rounds, and for the next one after a stall.
    private static let patience = 120

    private let settings: Settings

    package init(_ settings: Settings) { self.settings = settings }

    /// Measures; what it started has ended when it returns.
    package func run() async throws -> StallReport {
        let names = ["rollout", "trainer", "reader"]
        let keys = try names.map { _ in try CurveKeyPair.generate() }
        let cluster = try BenchmarkCluster(
            executable: settings.executable,
            configuration: configuration,
            nodes: zip(names, keys).map { ($0, $0 == "rollout" ? "rollout" : "trainer", $1.publicKey) }
        )
        defer { cluster.remove() }
        var processes: [String: ChildProcess] = [:]
        do {
            let (coordinator, address) = try await cluster.startCoordinator()
            processes["coordinator"] = coordinator
            for (name, keys) in zip(names, keys).prefix(2) {
                processes[name] = try cluster.startWorker(
                    name,
                    verb: "\(name)-worker",
                    keys: keys,
                    model: settings.modelPath,
                    coordinator: address
                )
            }
            let report = try await measure(cluster, processes, address, readerKeys: keys[2])
            await Self.stop(processes)
            return report
        } catch {
            await Self.stop(processes)
            throw error
        }
    }

    private static func stop(_ processes: [String: ChildProcess]) async {
        for process in processes.values { kill(process.identifier, SIGCONT) }
        for process in processes.values { await process.stop() }
    }

    private var configuration: RunConfiguration {
        var configuration = RunConfiguration(modelPath: settings.modelPath)
        configuration.batchSamples = settings.batchSamples
        configuration.trajectory.stepsPerSegment = 1
        configuration.training.batchSize = 4
        configuration.cluster.localSteps = 2
        configuration.cluster.rounds = 1_000_000
        configuration.cluster.pingInterval = .milliseconds(200)
        configuration.cluster.suspectAfter = .seconds(1)
        configuration.cluster.deadAfter = .seconds(3)
        configuration.cluster.grace = .seconds(2)
        return configuration
    }

    private func measure(
        _ cluster: BenchmarkCluster,
        _ processes: [String: ChildProcess],
        _ address: CoordinatorAddress,
        readerKeys: CurveKeyPair
    ) async throws -> StallReport {
        // Arenas have found their size after a few rounds.
        try await waitForRounds(3, of: cluster, processes)
        var stalls = [try await watch("nobody", processes)]
        for name in ["trainer", "rollout", "coordinator"] {
            guard let stalled = processes[name]?.identifier else { continue }
            let others = processes.filter { $0.key != name }
            kill(stalled, SIGSTOP)
            var stall = try await watch("the \(name)", others)
            kill(stalled, SIGCONT)
            try await waitForRounds(1, of: cluster, processes)
            stall.wentOn = true
            stalls.append(stall)
        }
        let reader = try await SilentReader(keys: readerKeys, address: address)
        do {
            try await reader.join()
            var stall = try await watch(
                "a peer that reads nothing",
                processes.filter { $0.key != "trainer" }
            ) { try await reader.ask() }
            stall.askedBytes = await reader.askedByteCount
            await reader.leave()
            try await waitForRounds(1, of: cluster, processes)
            stall.wentOn = true
            stalls.append(stall)
        } catch {
            await reader.leave()
            throw error
        }
        return StallReport(seconds: settings.seconds, stalls: stalls)
    }

    /// Sees how far memory grows during a stall.
    ///
    /// - Parameter begin: what belongs to the stall's beginning.
    private func watch(
        _ stalled: String,
        _ watched: [String: ChildProcess],
        begin: () async throws -> Void = {}
    ) async throws -> StallReport.Stall {
        let baselines = watched.mapValues { process in
            ProcessUsage.resetPeak(of: process.identifier)
            return ProcessUsage(of: process.identifier).residentByteCount
        }
        try await begin()
        try await Task.sleep(for: .seconds(settings.seconds))
        let roles = watched.sorted { $0.key < $1.key }.map { name, process in
            StallReport.Role(
                name: name,
                baselineBytes: baselines[name] ?? 0,
                peakBytes: ProcessUsage(of: process.identifier).peakByteCount
            )
        }
        return StallReport.Stall(stalled: stalled, roles: roles)
    }

    /// Returns when so many more rounds are committed.
    private func waitForRounds(
        _ count: UInt64,
        of cluster: BenchmarkCluster,
        _ processes: [String: ChildProcess]
    ) async throws {
        let first = try cluster.folder.readStatus()?.round.rawValue ?? 0
        try await awaited("round \(first + count)", seconds: Self.patience) { () -> Void? in
            for (name, process) in processes where process.end != nil {
                throw ClusterBenchmarkError.processFailed(name: name, lastLine: process.lastLine)
            }
            guard let status = try cluster.folder.readStatus() else { return nil }
            return status.round.rawValue >= first + count ? () : nil
        }
    }
}
