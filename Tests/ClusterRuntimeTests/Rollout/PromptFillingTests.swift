import DiffusionModels
import Distillation
import Foundation
import Tensors
import TestSupport
import Testing

@testable import ClusterRuntime

/// Encodings that are made before a run.
@Suite struct PromptFillingTests {
    /// A run that keeps encodings; its four prompts and a held-out one.
    private func withRun(_ body: (RunConfiguration) throws -> Void) async throws {
        try await withKeptEncodings { run in
            var configuration = run
            let path = configuration.modelPath + "/../held-out.txt"
            configuration.evaluation.path = path
            try "a green cup\na cat\n".write(toFile: path, atomically: true, encoding: .utf8)
            try body(configuration)
        }
    }

    private func fill(_ configuration: RunConfiguration) throws -> PromptFilling.Progress {
        try PromptFilling(configuration).run(on: LanePool(count: 1))
    }

    private func files(_ configuration: RunConfiguration) throws -> [String] {
        let folder = configuration.prompts.cachePath ?? ""
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { "\(folder)/\($0)" }
    }

    @Test func `a filled cache has all that a run encodes, and is not filled again`() async throws {
        try await withRun { configuration in
            #expect(try fill(configuration) == PromptFilling.Progress(done: 5, total: 5, kept: 0))
            let model = try ModelFolder(of: configuration)
            let prompts = ["blurry", "a cat", "a dog", "a red cube", "a green cup"]
            let text = try model.text.encode(prompts, on: Tape())
            #expect(!model.text.isOpen)
            let fresh = try ModelFolder(path: configuration.modelPath).text.encode(prompts, on: Tape())
            #expect(text.context.values == fresh.context.values)
            #expect(text.pooled.values == fresh.pooled.values)
            #expect(try fill(configuration).kept == 5)
        }
    }

    @Test func `an ended filling goes on, and a spoiled encoding is made anew`() async throws {
        try await withRun { configuration in
            _ = try fill(configuration)
            let files = try files(configuration)
            let whole = try Data(contentsOf: URL(filePath: files[1]))
            try FileManager.default.removeItem(atPath: files[0])
            try whole.dropLast(4).write(to: URL(filePath: files[1]))
            #expect(try fill(configuration).kept == 3)
            #expect(try self.files(configuration) == files)
            #expect(try Data(contentsOf: URL(filePath: files[1])) == whole)
        }
    }

    @Test func `the bytes of an encoding are told closely`() async throws {
        try await withRun { configuration in
            _ = try fill(configuration)
            let told = try ModelFolder(of: configuration).text.keptByteCount
            for file in try files(configuration) {
                let size = try Data(contentsOf: URL(filePath: file)).count
                #expect(size <= told && told - size < 1024)
            }
        }
    }

    @Test func `a cache of too few bytes is refused before anything is encoded`() async throws {
        try await withRun { configuration in
            var configuration = configuration
            let lines = (0..<120_000).map { "prompt \($0)" }.joined(separator: "\n")
            let path = try #require(configuration.prompts.path)
            try lines.write(toFile: path, atomically: true, encoding: .utf8)
            configuration.prompts.cacheSize = 1
            let error = try #require(throws: ConfigurationError.self) { try PromptFilling(configuration) }
            #expect("\(error)" == "prompts.cache_gib is 1: expected at least 2 for 120003 prompts")
            #expect(try files(configuration).isEmpty)
        }
    }

    @Test func `a run without a cache, or of endless scenes, is refused by its key`() async throws {
        try await withRun { configuration in
            var other = configuration
            other.prompts.cachePath = nil
            let missing = try #require(throws: ConfigurationError.self) { try PromptFilling(other) }
            #expect("\(missing)".contains("prompts.cache is absent"))
            other = configuration
            other.prompts.kind = .scenes
            let endless = try #require(throws: ConfigurationError.self) { try PromptFilling(other) }
            #expect("\(endless)".contains("prompts.kind is scenes"))
        }
    }
}
