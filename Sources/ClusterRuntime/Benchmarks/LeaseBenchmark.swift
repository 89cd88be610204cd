import ClusterMessages
import Coordination
import DiffusionModels
import Distillation
import Foundation
import ZeroMQ

/// One real coordinator, in a process of its own, with many workers that compute nothing.
///
/// Every worker has its own key and its own encrypted connection, says what a real one says and pings as often. Rollouts
/// say at once that they made their batch, trainers that they used it; each trainer's offer is the parameters it got.
/// First all go as fast as they can, which gives the rates; then each rollout takes a while for a batch, which gives the
/// latencies of a coordinator that is not overloaded.
package struct LeaseBenchmark: Sendable {
    /// What is asked for.
    package struct Settings: Sendable {
        /// The `flowsteer` program.
        package var executable: String
        /// The teacher's folder.
        package var modelPath: String
        /// All workers together.
        package var workers = 500
        /// Those of them that are trainers.
        package var trainers = 16
        /// Batches each trainer uses in a round.
        package var batchesPerRound = 50
        /// Length of each of the two measurements.
        package var seconds = 10.0
        /// What a rollout takes for a batch in the second one.
        package var batchSeconds = 1.0

        package init(executable: String, modelPath: String) {
            self.executable = executable
            self.modelPath = modelPath
        }
    }

    /// Time all workers have to join.
    private static let patience = 180
    private static let batchSamples = 8

    private let settings: Settings

    package init(_ settings: Settings) { self.settings = settings }

    /// Measures; what it started has ended when it returns.
    package func run() async throws -> LeaseReport {
        let count = settings.workers
        // Of every worker a connection and an eventfd, of a trainer's averaging too.
        let (needed, limit) = (2 * (count + settings.trainers) + 512, OpenFiles.raiseLimit())
        guard needed <= limit else { throw ClusterBenchmarkError.tooFewFiles(needed: needed, limit: limit) }
        let keys = try (0..<count).map { _ in try CurveKeyPair.generate() }
        let roles = (0..<count).map { $0 < settings.trainers ? "trainer" : "rollout" }
        let configuration = self.configuration
        let cluster = try BenchmarkCluster(
            executable: settings.executable,
            configuration: configuration,
            nodes: zip(keys, roles).enumerated().map { ("w\($0)", $1.1, $1.0.publicKey) }
        )
        defer { cluster.remove() }
        let (process, address) = try await cluster.startCoordinator()
        do {
            let report = try await measure(process, address, configuration, keys: keys)
            await process.stop()
            return report.with(try RunAudit(cluster.folder))
        } catch {
            await process.stop()
            throw process.lastLine.isEmpty
                ? error : ClusterBenchmarkError.processFailed(name: "coordinator", lastLine: process.lastLine)
        }
    }

    private var configuration: RunConfiguration {
        var configuration = RunConfiguration(modelPath: settings.modelPath)
        configuration.batchSamples = Self.batchSamples
        configuration.maxUses = 1
        configuration.network.rank = 1
        configuration.network.targets = ["to_q"]
        configuration.network.discriminator.depth = 1
        configuration.training.batchSize = Self.batchSamples
        configuration.cluster.usesPerBatch = 1
        configuration.cluster.localSteps = settings.batchesPerRound
        configuration.cluster.rounds = 1_000_000
        configuration.cluster.leadBatches = 2 * settings.workers
        configuration.cluster.trainersAtStart = settings.trainers
        configuration.averaging.momentsPeriod = 0
        // Rounds that never come: averaging has benchmarks of its own, this one is about decisions and the ledger.
        configuration.averaging.discriminatorPeriod = 1_000_000
        return configuration
    }

    private func measure(
        _ process: ChildProcess,
        _ address: CoordinatorAddress,
        _ configuration: RunConfiguration,
        keys: [CurveKeyPair]
    ) async throws -> LeaseReport {
        let model = try ModelFolder(path: settings.modelPath)
        let networks = try TrainableNetworks(
            teacher: model,
            network: configuration.network,
            seed: configuration.seed
        )
        let swarm = try Swarm(
            keys: keys,
            trainers: settings.trainers,
            address: address,
            teacher: ContentHash(try model.contentDigest()),
            state: ParameterBytes(networks, configuration.averaging),
            averaging: configuration.averaging,
            batchesPerRound: configuration.batchesPerRound,
            batchSamples: Self.batchSamples
        )
        let start = ContinuousClock.now
        do {
            try await swarm.join()
            try await awaited("welcome for all of \(keys.count) workers", seconds: Self.patience) {
                swarm.tally.welcomes >= keys.count ? () : nil
            }
            let joinSeconds = start.duration(to: .now).inSeconds
            try await awaited("committed round", seconds: Self.patience) {
                swarm.tally.rounds >= 1 ? () : nil
            }
            let fast = try await phase(swarm, process)
            swarm.take(.seconds(settings.batchSeconds))
            // What was asked for before has come by then.
            try await Task.sleep(for: .seconds(2 * settings.batchSeconds))
            let paced = try await phase(swarm, process)
            await swarm.close()
            return LeaseReport(
                workers: keys.count,
                trainers: settings.trainers,
                joinSeconds: joinSeconds,
                unpaced: fast,
                paced: paced,
                batchSeconds: settings.batchSeconds,
                coordinatorPeakMemoryBytes: ProcessUsage(of: process.identifier).peakByteCount,
                refusals: swarm.tally.refusals
            )
        } catch {
            await swarm.close()
            throw error
        }
    }

    private func phase(_ swarm: Swarm, _ process: ChildProcess) async throws -> LeaseReport.Phase {
        let (clock, before) = (ContinuousClock(), ProcessUsage(of: process.identifier))
        let start = clock.now
        swarm.resetTally()
        try await Task.sleep(for: .seconds(settings.seconds))
        let (tally, seconds) = (swarm.tally, start.duration(to: clock.now).inSeconds)
        let after = ProcessUsage(of: process.identifier)
        return LeaseReport.Phase(
            tally,
            seconds: seconds,
            processorSeconds: after.processorSeconds - before.processorSeconds,
            memoryBytes: after.residentByteCount
        )
    }
}
