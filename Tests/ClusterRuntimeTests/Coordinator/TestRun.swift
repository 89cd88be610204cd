import Checkpoints
import ClusterMessages
import DiffusionModels
import Distillation
import Foundation
import TestSupport
import ZeroMQ

@testable import ClusterRuntime

/// A real coordinator on this machine with one key for each role.
struct TestRun {
    var options: CoordinatorOptions
    let rollout: CurveKeyPair
    /// Other rollouts' keys.
    let spares: [CurveKeyPair]
    let trainer: CurveKeyPair
    let person: CurveKeyPair
    /// What a node of this run computes by itself: the teacher's hash and the initial parameters.
    let teacher: ContentHash
    let initial: ParameterBytes

    init(in folder: String, rounds: UInt64 = 2) throws {
        rollout = try .generate()
        spares = try (0..<2).map { _ in try .generate() }
        trainer = try .generate()
        person = try .generate()
        let list = """
            # test
            r rollout \(rollout.publicKey)
            s rollout \(spares[0].publicKey)
            u rollout \(spares[1].publicKey)
            t trainer \(trainer.publicKey)
            o operator \(person.publicKey)
            """
        try list.write(toFile: "\(folder)/nodes", atomically: true, encoding: .utf8)
        let configuration = try tinyConfiguration(prompts: folder, rounds: rounds)
        options = CoordinatorOptions(
            configuration: configuration,
            runFolder: "\(folder)/run",
            keys: try .generate(),
            authorizedNodesPath: "\(folder)/nodes"
        )
        let model = try ModelFolder(path: Repository.teacher)
        teacher = ContentHash(try model.contentDigest())
        let networks = try TrainableNetworks(
            teacher: model,
            network: configuration.network,
            seed: configuration.seed
        )
        initial = ParameterBytes(networks)
    }

    var serverKey: CurvePublicKey { options.keys.publicKey }

    /// Serves while `body` runs, then stops and waits for the end.
    func serving<Value>(_ body: (CoordinatorService) async throws -> Value) async throws -> Value {
        let service = try await CoordinatorService(options)
        let run = Task { try await service.run() }
        let result: Result<Value, any Error>
        do { result = .success(try await body(service)) } catch { result = .failure(error) }
        run.cancel()
        try await run.value
        return try result.get()
    }
}
