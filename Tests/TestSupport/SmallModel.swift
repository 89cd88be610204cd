import Foundation

/// A folder with the settings and tokenizers of a small model of the shipped teacher's kind, but no weights; it is
/// removed with its owner.
package final class SmallModel: Sendable {
    package let path: String

    /// - Parameter layers: of the transformer; 2 of either text encoder.
    package init(layers: Int = 2) throws {
        let files = FileManager.default
        path = files.temporaryDirectory.appending(path: "small-model-\(UUID().uuidString)").path()
        for folder in ["transformer", "text_encoder", "text_encoder_2"] {
            try files.createDirectory(atPath: "\(path)/\(folder)", withIntermediateDirectories: true)
            try files.copyItem(
                atPath: "\(Repository.teacher)/\(folder)/config.json",
                toPath: "\(path)/\(folder)/config.json"
            )
        }
        for name in ["model_index.json", "scheduler", "tokenizer", "tokenizer_2"] {
            try files.copyItem(atPath: "\(Repository.teacher)/\(name)", toPath: "\(path)/\(name)")
        }
        try edit("transformer/config.json") {
            $0["num_layers"] = layers
            $0["num_attention_heads"] = 2
            $0["attention_head_dim"] = 16
            $0["caption_projection_dim"] = 32
            $0["joint_attention_dim"] = 32
            $0["pooled_projection_dim"] = 24
        }
        for folder in ["text_encoder", "text_encoder_2"] {
            try edit("\(folder)/config.json") {
                $0["hidden_size"] = 16
                $0["intermediate_size"] = 24
                $0["projection_dim"] = 12
                $0["num_attention_heads"] = 2
            }
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Changes the fields of one of the folder's JSON files.
    package func edit(_ file: String, _ change: (inout [String: Any]) -> Void) throws {
        let url = URL(filePath: "\(path)/\(file)")
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: url))
        var fields = object as? [String: Any] ?? [:]
        change(&fields)
        try JSONSerialization.data(withJSONObject: fields).write(to: url)
    }
}
