import Synchronization
import Tensors

/// A model folder's text encoders with their tokenizers.
struct TextEncoders: Sendable {
    private struct CLIP: Sendable {
        let tokenizer: CLIPTokenizer
        let model: CLIPTextEncoder
    }

    private struct T5: Sendable {
        let tokenizer: T5Tokenizer
        let model: T5TextEncoder
    }

    private let clip: [CLIP]
    private let t5: T5?

    /// Opens the folders of both CLIP encoders and, where there is one, of T5.
    init(folder: String, hasT5: Bool) throws {
        clip = try ["", "_2"].map { suffix in
            try CLIP(
                tokenizer: CLIPTokenizer(folder: "\(folder)/tokenizer\(suffix)"),
                model: CLIPTextEncoder(folder: "\(folder)/text_encoder\(suffix)")
            )
        }
        t5 =
            try hasT5
            ? T5(
                tokenizer: T5Tokenizer(folder: "\(folder)/tokenizer_3"),
                model: T5TextEncoder(folder: "\(folder)/text_encoder_3")
            ) : nil
        try checkVocabularies(folder: folder)
    }

    /// Tokens of a prompt for the CLIP encoder of an index, padded or cut to a length.
    func tokens(of prompt: String, encoder: Int, length: Int) -> [Int] {
        clip[encoder].tokenizer.encode(prompt, length: length)
    }

    /// Runs the encoders one after another over batches that bound their memory.
    ///
    /// - Parameters:
    ///   - length: tokens of a prompt for CLIP.
    ///   - t5Length: the same for T5; it is not run for none.
    func encode(
        _ prompts: [String],
        length: Int,
        t5Length: Int,
        on tape: Tape
    ) throws(ModelError) -> [PromptEncoding] {
        tape.reset()
        defer { tape.reset() }
        let batch = TextMemory.promptsAtOnce(
            clip.map { ($0.model.configuration.layerSize, length) }
                + (t5.map { [($0.model.configuration.layerSize, t5Length)] } ?? [])
        )
        var encodings: [PromptEncoding] = []
        for start in stride(from: 0, to: prompts.count, by: batch) {
            let texts = prompts[start..<min(start + batch, prompts.count)]
            var outputs: [CLIPTextEncoder.Output] = []
            for encoder in clip {
                let tokens = texts.map { encoder.tokenizer.encode($0, length: length) }
                outputs.append(try encoder.model(tokens, on: tape))
            }
            let states = Tensor.joinedColumns(outputs.map(\.penultimate))
            let pooled = Tensor.joinedColumns(outputs.map(\.embeddings))
            var t5States: Tensor?
            if let t5, t5Length > 0 {
                let tokens = texts.map { t5.tokenizer.encode($0, length: t5Length) }
                t5States = try t5.model(tokens, on: tape)
            }
            for row in texts.indices.map({ $0 - start }) {
                encodings.append(
                    PromptEncoding(clip: states.row(row), pooled: pooled.row(row), t5: t5States?.row(row))
                )
            }
        }
        return encodings
    }

    /// A tokenizer must not give numbers that its encoder's table lacks.
    private func checkVocabularies(folder: String) throws(ModelError) {
        var sizes = zip(["", "_2"], clip).map {
            ($0, $1.tokenizer.vocabularySize, $1.model.configuration.vocabularySize)
        }
        if let t5 { sizes.append(("_3", t5.tokenizer.vocabularySize, t5.model.configuration.vocabularySize)) }
        for (suffix, tokens, rows) in sizes where tokens > rows {
            throw .unsupported(
                path: "\(folder)/text_encoder\(suffix)/config.json",
                field: "vocab_size",
                value: "\(rows)",
                expected: "at least \(tokens), the tokens of tokenizer\(suffix)"
            )
        }
    }
}

/// Text encoders that are opened when they are first asked for, and then kept.
final class DeferredTextEncoders: Sendable {
    private let folder: String
    private let hasT5: Bool
    private let encoders = Mutex<TextEncoders?>(nil)

    init(folder: String, hasT5: Bool) {
        self.folder = folder
        self.hasT5 = hasT5
    }

    var isOpen: Bool { encoders.withLock { $0 != nil } }

    func opened() throws -> TextEncoders {
        try encoders.withLock { encoders in
            if let encoders { return encoders }
            let opened = try TextEncoders(folder: folder, hasT5: hasT5)
            encoders = opened
            return opened
        }
    }
}
