import ClusterMessages
import DiffusionModels
import Distillation
import Foundation
import TestSupport

@testable import ClusterRuntime
@testable import Coordination

/// A folder of a test's own, gone with the test.
func withRunFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let folder = FileManager.default.temporaryDirectory.appending(path: "coordinator-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder.path)
}

/// A run so small that its parameters fit a few messages.
func tinyConfiguration(prompts folder: String, rounds: UInt64 = 2) throws -> RunConfiguration {
    let prompts = "\(folder)/prompts.txt"
    try "a cat\na dog\na red cube\n".write(toFile: prompts, atomically: true, encoding: .utf8)
    var configuration = RunConfiguration(modelPath: Repository.teacher)
    configuration.prompts.kind = .file
    configuration.prompts.path = prompts
    configuration.batchSamples = 2
    configuration.maxUses = 1
    configuration.network.rank = 1
    configuration.network.targets = ["to_q"]
    configuration.network.discriminator.depth = 1
    configuration.cluster.usesPerBatch = 1
    configuration.cluster.rounds = rounds
    configuration.cluster.localSteps = 1
    configuration.cluster.leadBatches = 2
    return configuration
}

func hash(_ byte: UInt8) -> ContentHash {
    guard let hash = ContentHash([UInt8](repeating: byte, count: 32)) else {
        preconditionFailure("a hash has 32 bytes")
    }
    return hash
}

func identity(_ yaml: String = "seed: 1\n") -> RunIdentity {
    RunIdentity(yaml: yaml, teacher: hash(1), initialParameters: hash(2))
}

/// A plan as the state machine would make it.
func plan(round: UInt64, batches: Range<UInt64>, issued: UInt64, offers: [(NodeID, ContentHash)]) -> RoundPlan
{
    RoundPlan(
        round: RoundNumber(round),
        contributions: offers.map { .init(node: $0, samples: 4, offer: $1) },
        excluded: [],
        uses: batches.map { BatchUse(batch: BatchID($0), trainer: offers[0].0, uses: 1) },
        issued: issued
    )
}
