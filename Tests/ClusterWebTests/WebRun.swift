import ClusterMessages
import Coordination
import DiffusionModels
import Distillation
import Foundation
import TestSupport
import ZeroMQ

@testable import ClusterRuntime
@testable import ClusterWeb

/// A real coordinator on this machine, without keys, and its face.
struct WebRun {
    let folder = FileManager.default.temporaryDirectory.appending(path: "web-\(UUID().uuidString)")
    let rounds: UInt64
    let token = AccessToken.random()
    var configure: @Sendable (inout WebOptions) -> Void = { _ in }

    init(rounds: UInt64 = 2) { self.rounds = rounds }

    var run: LocalRunFolder { LocalRunFolder(folder.appending(path: "run").path()) }

    var configuration: RunConfiguration {
        get throws {
            let prompts = folder.appending(path: "prompts.txt")
            try Data("a cat\na dog\n".utf8).write(to: prompts)
            var configuration = RunConfiguration(modelPath: Repository.teacher)
            configuration.prompts.kind = .file
            configuration.prompts.path = prompts.path()
            configuration.batchSamples = 2
            configuration.maxUses = 1
            configuration.trajectory.stepsPerSegment = 1
            configuration.network.rank = 1
            configuration.network.targets = ["to_q"]
            configuration.network.discriminator.depth = 1
            configuration.training.batchSize = 2
            configuration.cluster.usesPerBatch = 1
            configuration.cluster.rounds = rounds
            configuration.cluster.localSteps = 1
            return configuration
        }
    }

    /// Serves while `body` runs, then stops all of it; what fails in it fails here.
    func serving(_ body: @escaping (CoordinatorService, WebClient) async throws -> Void) async throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var options = CoordinatorOptions(
            configuration: try configuration,
            runFolder: run.path,
            keys: try .generate(),
            authorizedNodesPath: ""
        )
        options.isInsecure = true
        var web = WebOptions(address: WebAddress(host: "127.0.0.1", port: 0), token: token)
        configure(&web)
        let service = try await CoordinatorService(options)
        let face = WebFace(web, of: service, in: run)
        let serving = Task {
            try await face.runBesideCoordinator()
        }
        let result: Result<Void, any Error>
        do {
            try await body(service, WebClient(port: try await port()))
            result = .success(())
        } catch {
            result = .failure(error)
        }
        serving.cancel()
        try await serving.value
        try result.get()
    }

    /// Lets a rollout and a trainer work until the run is finished.
    func work(for service: CoordinatorService) async throws {
        let rollout = try RolloutWorker(options(.rollout, of: service))
        let trainer = try TrainerWorker(options(.trainer, of: service))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await rollout.run() }
            group.addTask { try await trainer.run() }
            try await group.waitForAll()
        }
    }

    /// A worker of it.
    private func options(_ role: Role, of service: CoordinatorService) throws -> WorkerOptions {
        WorkerOptions(
            role: role,
            name: "\(role)",
            coordinatorEndpoint: service.controlEndpoint,
            coordinatorKey: nil,
            keys: try .generate(),
            modelPath: try configuration.modelPath,
            runFolder: folder.appending(path: "\(role)").path(),
            patience: .seconds(60),
            isInsecure: true,
            fetchesCheckpoints: false
        )
    }

    /// Waits until the face says where it is; the test's time limit ends a wait in vain.
    private func port() async throws -> Int {
        while true {
            if let place = try WebPlace(path: run.web) { return place.port }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
