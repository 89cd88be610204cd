import ClusterMessages
import Distillation
import Foundation
import TestSupport
import Testing

@testable import ClusterRuntime

@Suite struct PromptCorpusTests {
    @Test func `an epoch of a file names every line once, in an order of its own`() async throws {
        try await withRunFolder { folder in
            let lines = (0..<8).map { "prompt \($0)" }
            var configuration = try tinyConfiguration(prompts: folder)
            configuration.batchSamples = 4
            try lines.joined(separator: "\n").write(
                toFile: configuration.prompts.path ?? "",
                atomically: true,
                encoding: .utf8
            )
            var corpus = try PromptCorpus(configuration)
            let first = (0..<2).flatMap { corpus.samples(of: BatchID($0)) }
            let second = (2..<4).flatMap { corpus.samples(of: BatchID($0)) }
            #expect(first.map(\.text).sorted() == lines)
            #expect(second.map(\.text).sorted() == lines)
            #expect(first.map(\.text) != second.map(\.text))
            #expect((first + second).map(\.promptID) == Array(0..<16))
        }
    }

    @Test func `a batch has the same prompts whatever was asked for before`() async throws {
        let sprites = RunConfiguration.spritesPath(besideModel: Repository.teacher)
        var configuration = RunConfiguration(modelPath: Repository.teacher)
        configuration.prompts.path = sprites
        var forwards = try PromptCorpus(configuration)
        var backwards = try PromptCorpus(configuration)
        let late = backwards.samples(of: BatchID(300))
        let early = forwards.samples(of: BatchID(0))
        #expect(forwards.samples(of: BatchID(300)) == late)
        #expect(backwards.samples(of: BatchID(0)) == early)
        #expect(late.count == configuration.batchSamples)
    }
}
