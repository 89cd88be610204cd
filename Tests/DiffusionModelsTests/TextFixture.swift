import Foundation
import TestSupport

/// Small text encoders and tokenizers as transformers writes them (`Scripts/reference/make_small_text_models.py`),
/// and copies of them that a test may damage.
enum TextFixture {
    static let folder = Repository.fixture("text")

    /// A copy of the fixture, made a model folder with the shipped teacher's transformer; it is removed behind `body`.
    static func withModel(t5: Bool = true, _ body: (String) throws -> Void) throws {
        let files = FileManager.default
        let path = files.temporaryDirectory.appending(path: "text-\(UUID().uuidString)").path()
        defer { try? files.removeItem(atPath: path) }
        try files.copyItem(atPath: folder, toPath: path)
        for name in ["transformer", "scheduler", "model_index.json"] {
            try files.copyItem(atPath: "\(Repository.teacher)/\(name)", toPath: "\(path)/\(name)")
        }
        try edit("\(path)/transformer/config.json") {
            $0["joint_attention_dim"] = 40
            $0["pooled_projection_dim"] = 18
        }
        try edit("\(path)/model_index.json") {
            $0["max_sequence_length"] = 24
            if t5 { $0["text_encoder_3"] = ["transformers", "T5EncoderModel"] }
        }
        try body(path)
    }

    /// Changes the fields of a JSON file.
    static func edit(_ path: String, _ change: (inout [String: Any]) -> Void) throws {
        let url = URL(filePath: path)
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: url))
        var fields = object as? [String: Any] ?? [:]
        change(&fields)
        try JSONSerialization.data(withJSONObject: fields).write(to: url)
    }
}
