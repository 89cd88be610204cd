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
    let trainers: [CurveKeyPair]
    let person: CurveKeyPair
    /// What a node of this run computes by itself: the teacher's hash and the initial parameters.
    let teacher: ContentHash
    let initial: ParameterBytes

    /// - Parameters:
    ///   - trainers: how many have a key.
    ///   - configure: changes the run.
    init(
        in folder: String,
        rounds: UInt64 = 2,
        trainers count: Int = 1,
        configure: (inout RunConfiguration) -> Void = { _ in }
    ) throws {
        rollout = try .generate()
        spares = try (0..<2).map { _ in try .generate() }
        trainers = try (0..<count).map { _ in try .generate() }
        person = try .generate()
        let list = """
            # test
            r rollout \(rollout.publicKey)
            s rollout \(spares[0].publicKey)
            u rollout \(spares[1].publicKey)
            o operator \(person.publicKey)
            """
        let trainerList = trainers.enumerated().map { "\nt\($0) trainer \($1.publicKey)" }.joined()
        try (list + trainerList).write(toFile: "\(folder)/nodes", atomically: true, encoding: .utf8)
        var configuration = try tinyConfiguration(prompts: folder, rounds: rounds)
        configure(&configuration)
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
        initial = ParameterBytes(networks, configuration.averaging)
    }

    var trainer: CurveKeyPair { trainers[0] }
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
