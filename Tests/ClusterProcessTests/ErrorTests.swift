import Foundation
import TestSupport
import Testing

/// What a person sees and a supervisor reads when something is wrong: one line, and the code for it.
@Suite struct ErrorTests {
    private func expect(
        _ arguments: [String],
        environment: [String: String] = [:],
        exits code: Int32,
        saying words: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await withTemporaryFolder { folder in
            let outcome = try Program.run(arguments, in: folder, environment: environment)
            #expect(outcome.exitCode == code, "\(outcome.errors)", sourceLocation: sourceLocation)
            for word in words {
                #expect(outcome.errors.contains(word), "\(outcome.errors)", sourceLocation: sourceLocation)
            }
        }
    }

    /// A copy of the shipped teacher with one file replaced.
    private func withTeacher(
        _ file: String,
        _ change: (Data) -> Data,
        _ body: (String) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let model = folder.appending(path: "model")
            try FileManager.default.copyItem(atPath: Repository.teacher, toPath: model.path())
            let url = model.appending(path: file)
            try change(Data(contentsOf: url)).write(to: url)
            try await body(model.path())
        }
    }

    private let sampleFlags = ["--prompt", "a cat", "--steps", "1", "--out", "/tmp/flowsteer-never"]

    @Test func `a folder that is no model is named`() async throws {
        try await expect(
            ["sample", "--model", "/nowhere"] + sampleFlags,
            exits: 65,
            saying: "/nowhere/model_index.json"
        )
    }

    @Test func `truncated weights are named`() async throws {
        try await withTeacher("transformer/diffusion_pytorch_model.safetensors") {
            $0.prefix(5000)
        } _: { model in
            try await expect(
                ["sample", "--model", model] + sampleFlags,
                exits: 65,
                saying: "diffusion_pytorch_model.safetensors"
            )
        }
    }

    @Test func `a missing tensor is named`() async throws {
        // Same length, so the header still fits.
        let change: (Data) -> Data = { data in
            guard let range = data.range(of: Data("proj_out.bias".utf8)) else { return data }
            var data = data
            data.replaceSubrange(range, with: Data("proj_out.bios".utf8))
            return data
        }
        try await withTeacher("transformer/diffusion_pytorch_model.safetensors", change) { model in
            try await expect(["sample", "--model", model] + sampleFlags, exits: 65, saying: "proj_out.bias")
        }
    }

    @Test func `an unknown key of a configuration is named with the nearest known one`() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending(path: "run.yaml")
            let text = "model: \(Repository.teacher)\ntraining:\n  batch_sise: 4\n"
            try text.write(to: file, atomically: true, encoding: .utf8)
            try await expect(
                ["local", "--config", file.path(), "--run", folder.appending(path: "run").path()],
                exits: 78,
                saying: "batch_sise",
                "batch_size"
            )
        }
    }

    @Test func `a crash point that is not there is refused with the known ones`() async throws {
        try await expect(
            ["keygen", "--out", "never"],
            environment: ["FLOWSTEER_FAULT": "nowhere:1"],
            exits: 78,
            saying: "'nowhere'",
            "coordinator-after-commit, ",
            "rollout-serving-chunk"
        )
    }

    @Test func `a run without its model is told which folder is missing`() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending(path: "run.yaml")
            try "model: nowhere\n".write(to: file, atomically: true, encoding: .utf8)
            try await expect(
                ["local", "--config", file.path(), "--run", folder.appending(path: "run").path()],
                exits: 65,
                saying: folder.appending(path: "nowhere/model_index.json").path()
            )
        }
    }

    @Test(arguments: [
        (["distil"], "flowsteer --help\n"),
        (["local"], ": see flowsteer local --help\n"),
        (["status"], "or --insecure: see flowsteer status --help\n"),
        (["checkpoint", "fetch", "--into", "x"], "or --insecure: see flowsteer checkpoint fetch --help\n"),
        (["evaluate", "--model", "x", "--layout", "y"], "'flat': see flowsteer evaluate model --help\n"),
        (["doctor", "--bind", "10.0.0.1:7700"], "<tcp://host:port>': see flowsteer doctor --help\n"),
    ])
    func `wrong usage ends with the help that explains it`(_ example: (words: [String], ending: String))
        async throws
    {
        try await withTemporaryFolder { folder in
            let outcome = try Program.run(example.words, in: folder)
            #expect(outcome.exitCode == 64)
            #expect(outcome.errors.hasSuffix(example.ending), "\(outcome.errors)")
        }
    }
}
