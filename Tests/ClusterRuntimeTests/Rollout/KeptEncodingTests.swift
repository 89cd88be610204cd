import ClusterMessages
import DiffusionModels
import Distillation
import Foundation
import TestSupport
import Testing

@testable import ClusterRuntime

/// Workers whose prompts' encodings are kept on disk.
@Suite struct KeptEncodingTests {
    private func lease(_ samples: [PromptSample], seed: UInt64) -> Message.Lease {
        Message.Lease(
            batch: BatchID(0),
            fence: Fence(epoch: 1, attempt: 0),
            deadline: .seconds(60),
            prompts: samples.map { .init(id: $0.promptID, sample: $0.sample, text: $0.text) },
            seed: seed
        )
    }

    @Test func `a rollout and a trainer whose prompts are all kept never open a text encoder`() async throws {
        try await withKeptEncodings { configuration in
            var corpus = try PromptCorpus(configuration)
            let lease = lease(corpus.samples(of: BatchID(0)), seed: configuration.seed)
            let first = try ModelFolder(of: configuration)
            #expect(!first.text.isOpen)
            let solved = try TrajectorySolver(first, configuration: configuration, lanes: 1).solve(lease)
            #expect(first.text.isOpen)

            let second = try ModelFolder(of: configuration)
            for name in ["text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"] {
                try FileManager.default.removeItem(atPath: "\(configuration.modelPath)/\(name)")
            }
            let again = try TrajectorySolver(second, configuration: configuration, lanes: 1).solve(lease)
            #expect(again.hash == solved.hash)
            let trainer = try TrainingEngine(
                second,
                configuration: configuration,
                lanes: 1,
                folder: "\(configuration.modelPath)/state"
            )
            let assignment = Message.Assign(
                batch: BatchID(0),
                hash: solved.hash,
                byteCount: solved.byteCount,
                sampleCount: lease.prompts.count,
                holder: NodeID(1),
                holderEndpoint: "tcp://127.0.0.1:1",
                holderPublicKey: nil
            )
            try trainer.add(assignment, [solved.piece(in: 0..<solved.byteCount)])
            #expect(!second.text.isOpen)

            let unknown = PromptSample(promptID: 9, sample: 0, text: "a prompt nobody has met")
            let error = try #require(throws: NodeError.self) {
                try TrajectorySolver(second, configuration: configuration, lanes: 1)
                    .solve(self.lease([unknown], seed: configuration.seed))
            }
            #expect("\(error)".contains("\(configuration.modelPath)/tokenizer"))
        }
    }

    @Test func `without kept encodings a broken text encoder ends the opening of a model`() async throws {
        try await withKeptEncodings { configuration in
            var configuration = configuration
            configuration.prompts.cachePath = nil
            #expect(try ModelFolder(of: configuration).text.isOpen)
            try Data("{}".utf8).write(
                to: URL(filePath: "\(configuration.modelPath)/text_encoder/model.safetensors")
            )
            #expect(throws: (any Error).self) { try ModelFolder(of: configuration) }
        }
    }
}
