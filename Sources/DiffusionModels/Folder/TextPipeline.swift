package import Tensors

/// Prompts to encodings, as diffusers' Stable Diffusion 3 pipeline makes them: the penultimate states of both
/// CLIP encoders side by side, and their projections side by side.
package struct TextPipeline: Sendable {
    private struct Encoder: Sendable {
        let tokenizer: CLIPTokenizer
        let model: CLIPTextEncoder
    }

    private let encoders: [Encoder]

    init(
        folder: String,
        index: ConfigurationFile,
        transformer: TransformerConfiguration
    ) throws {
        guard index.componentClass("text_encoder_3") == nil else {
            throw ModelError.unsupported(
                path: index.path,
                field: "text_encoder_3",
                value: index.componentClass("text_encoder_3") ?? "",
                expected: "null: T5 is not supported"
            )
        }
        encoders = try ["", "_2"].map { suffix in
            try Encoder(
                tokenizer: CLIPTokenizer(folder: "\(folder)/tokenizer\(suffix)"),
                model: CLIPTextEncoder(folder: "\(folder)/text_encoder\(suffix)")
            )
        }
        let width = encoders.reduce(0) { $0 + $1.model.configuration.width }
        let pooled = encoders.reduce(0) { $0 + $1.model.configuration.projectionWidth }
        guard width == transformer.jointAttentionWidth, pooled == transformer.pooledProjectionWidth else {
            throw ModelError.unsupported(
                path: "\(folder)/transformer/config.json",
                field: "joint_attention_dim, pooled_projection_dim",
                value: "\(transformer.jointAttentionWidth), \(transformer.pooledProjectionWidth)",
                expected: "\(width), \(pooled), the widths of both text encoders together"
            )
        }
    }

    /// Tokens of a prompt for the encoder of an index, padded or cut to the encoder's length.
    package func tokens(of prompt: String, encoder: Int) -> [Int] {
        encoders[encoder].tokenizer.encode(
            prompt,
            length: encoders[encoder].model.configuration.positionCount
        )
    }

    /// Encodes prompts; the empty prompt is the unconditional one.
    ///
    /// - Returns: context `[prompts, tokens, sum of widths]`, pooled `[prompts, sum of projections]`.
    package func encode(_ prompts: [String], on tape: Tape) -> EncodedText {
        tape.reset()
        defer { tape.reset() }
        let outputs = encoders.indices.map { index in
            encoders[index].model(prompts.map { tokens(of: $0, encoder: index) }, on: tape)
        }
        return EncodedText(
            context: .joinedColumns(outputs.map(\.penultimate.value)),
            pooled: .joinedColumns(outputs.map(\.embeddings.value))
        )
    }
}
