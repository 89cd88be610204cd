import Checkpoints
import DiffusionModels
import Foundation
import TestSupport
import Testing

/// What a person is told about a folder that is not a model.
@Suite struct ModelFolderErrorTests {
    /// A copy of the shipped teacher that a test may damage.
    private func withDamagedTeacher(_ damage: (URL) throws -> Void, _ check: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "model-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.copyItem(atPath: Repository.teacher, toPath: folder.path())
        try damage(folder)
        try check(folder.path())
    }

    private func replace(_ old: String, _ new: String, in file: URL) throws {
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(text.contains(old))
        try text.replacingOccurrences(of: old, with: new).write(to: file, atomically: true, encoding: .utf8)
    }

    @Test func `a folder without an index is named with what it lacks`() {
        #expect(throws: ModelError.self) { try ModelFolder(path: "/nowhere") }
        do {
            _ = try ModelFolder(path: "/nowhere")
        } catch {
            #expect("\(error)".hasPrefix("/nowhere/model_index.json: not found"))
        }
    }

    @Test func `another family's transformer is refused by its class`() throws {
        try withDamagedTeacher { folder in
            let file = folder.appending(path: "transformer/config.json")
            try replace("SD3Transformer2DModel", "FluxTransformer2DModel", in: file)
        } _: { path in
            let error = try #require(throws: ModelError.self) { try ModelFolder(path: path) }
            #expect(error.description.contains("_class_name is FluxTransformer2DModel"))
        }
    }

    @Test func `a configuration of another width is refused by the first tensor that does not fit`() throws {
        try withDamagedTeacher { folder in
            let file = folder.appending(path: "transformer/config.json")
            try replace("\"num_attention_heads\": 5", "\"num_attention_heads\": 6", in: file)
        } _: { path in
            let folder = try ModelFolder(path: path)
            let error = try #require(throws: ModelError.self) { try folder.makeTransformer() }
            #expect(error.description.contains("has shape"))
        }
    }

    @Test func `truncated weights are refused with the file's name`() throws {
        try withDamagedTeacher { folder in
            let file = folder.appending(path: "transformer/diffusion_pytorch_model.safetensors")
            try Data(contentsOf: file).prefix(100_000).write(to: file)
        } _: { path in
            let error = try #require(throws: CheckpointError.self) { try ModelFolder(path: path) }
            #expect("\(error)".contains("diffusion_pytorch_model.safetensors: truncated"))
        }
    }

    @Test func `a text encoder of another class is refused by its component`() throws {
        try withDamagedTeacher { folder in
            let file = folder.appending(path: "model_index.json")
            let text = try String(contentsOf: file, encoding: .utf8)
            var index = try #require(
                JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            )
            index["text_encoder_3"] = ["transformers", "UMT5EncoderModel"]
            try JSONSerialization.data(withJSONObject: index).write(to: file)
        } _: { path in
            let error = try #require(throws: ModelError.self) { try ModelFolder(path: path) }
            #expect(error.description.contains("text_encoder_3 is UMT5EncoderModel, expected T5EncoderModel"))
        }
    }
}
