package import Tensors

/// Prompts to encodings, as diffusers' `StableDiffusion3Pipeline` makes them, negative prompts too.
///
/// The penultimate states of both CLIP encoders stand side by side, filled up with zeros to the transformer's width;
/// T5's states follow them as further tokens, rows of zeros where the folder has no T5. The pooled vector is the
/// projections side by side.
package struct TextPipeline: Sendable {
    /// T5 tokens of a prompt where nothing else is asked for (the pipeline's `max_sequence_length`).
    package static let usualT5Length = 256
    /// As many as the pipeline takes.
    package static let longestT5Length = 512

    private struct Encoder: Sendable {
        let tokenizer: CLIPTokenizer
        let model: CLIPTextEncoder
    }

    private struct T5: Sendable {
        let tokenizer: T5Tokenizer
        let model: T5TextEncoder
    }

    private let encoders: [Encoder]
    private let t5: T5?
    /// Tokens of a prompt for CLIP, the same for both encoders.
    private let length: Int
    private let width: Int
    private let folder: String

    /// T5 tokens of a prompt, 0 to ``longestT5Length``.
    ///
    /// A folder may state its own under `max_sequence_length` in `model_index.json`: 0 for a transformer that was
    /// trained without T5's rows.
    package var t5Length: Int {
        didSet { precondition((0...Self.longestT5Length).contains(t5Length), "\(t5Length) tokens for T5") }
    }
    /// Where encodings are kept; nil to make each anew.
    package var cache: PromptCache?

    init(
        folder: String,
        index: ConfigurationFile,
        transformer: TransformerConfiguration
    ) throws {
        self.folder = folder
        encoders = try ["", "_2"].map { suffix in
            try index.checkComponent("text_encoder\(suffix)", isOf: "CLIPTextModelWithProjection")
            return try Encoder(
                tokenizer: CLIPTokenizer(folder: "\(folder)/tokenizer\(suffix)"),
                model: CLIPTextEncoder(folder: "\(folder)/text_encoder\(suffix)")
            )
        }
        if index.componentClass("text_encoder_3") != nil {
            try index.checkComponent("text_encoder_3", isOf: "T5EncoderModel")
            t5 = try T5(
                tokenizer: T5Tokenizer(folder: "\(folder)/tokenizer_3"),
                model: T5TextEncoder(folder: "\(folder)/text_encoder_3")
            )
        } else {
            t5 = nil
        }
        width = transformer.jointAttentionWidth
        t5Length = try index.index("max_sequence_length", or: Self.usualT5Length)
        guard t5Length <= Self.longestT5Length else {
            throw ModelError.unsupported(
                path: index.path,
                field: "max_sequence_length",
                value: "\(t5Length)",
                expected: "0 to \(Self.longestT5Length)"
            )
        }
        let longest = encoders.map(\.model.configuration.positionCount).min() ?? 0
        // The pipeline takes the first tokenizer's length for both encoders.
        length = encoders[0].tokenizer.maximumLength ?? longest
        guard length <= longest else {
            throw ModelError.unsupported(
                path: "\(folder)/tokenizer/tokenizer_config.json",
                field: "model_max_length",
                value: "\(length)",
                expected: "at most \(longest), the tokens that both text encoders take"
            )
        }
        try checkWidths(transformer)
        try checkVocabularies()
    }

    /// Tokens of a prompt for the CLIP encoder of an index, padded or cut to the encoder's length.
    package func tokens(of prompt: String, encoder: Int) -> [Int] {
        encoders[encoder].tokenizer.encode(prompt, length: length)
    }

    /// Encodes prompts; the empty prompt is the unconditional one.
    ///
    /// - Returns: context `[prompts, CLIP tokens + T5 tokens, joint attention width]`, pooled
    ///   `[prompts, sum of projections]`.
    /// - Throws: a ``ModelError`` or a file's error for weights or a cache that cannot be read.
    package func encode(_ prompts: [String], on tape: Tape) throws -> EncodedText {
        precondition(!prompts.isEmpty, "there is a prompt to encode")
        let encodings =
            try cache.map { try encode(prompts, through: $0, on: tape) } ?? compute(prompts, on: tape)
        return EncodedText(
            context: context(of: encodings),
            pooled: .stacked(encodings.map(\.pooled))
        )
    }

    /// The same pipeline with its encodings kept in `folder`, at most `byteLimit` bytes of them.
    ///
    /// A kept encoding is found by the text encoders' and tokenizers' bytes, the lengths and the prompt.
    package func caching(in cacheFolder: String, byteLimit: Int) throws -> TextPipeline {
        let names = ["", "_2"] + (t5 == nil ? [] : ["_3"])
        let folders = names.flatMap { ["\(folder)/tokenizer\($0)", "\(folder)/text_encoder\($0)"] }
        var pipeline = self
        pipeline.cache = try PromptCache(folder: cacheFolder, byteLimit: byteLimit, modelFolders: folders)
        return pipeline
    }
}

// MARK: - Encoding

extension TextPipeline {
    /// What layers may take for what they make of a batch, in bytes.
    private static let layerByteCount = 1 << 29

    private func encode(
        _ prompts: [String],
        through cache: PromptCache,
        on tape: Tape
    ) throws -> [PromptEncoding] {
        let lengths = [length, t5 == nil ? 0 : t5Length]
        var found: [String: PromptEncoding] = [:]
        var missing: [String] = []
        for prompt in prompts where found[prompt] == nil && !missing.contains(prompt) {
            found[prompt] = try cache.encoding(of: prompt, lengths: lengths)
            if found[prompt] == nil { missing.append(prompt) }
        }
        for (prompt, encoding) in zip(missing, try compute(missing, on: tape)) {
            try cache.store(encoding, of: prompt, lengths: lengths)
            found[prompt] = encoding
        }
        if !missing.isEmpty { try cache.trim() }
        return prompts.compactMap { found[$0] }
    }

    /// Runs the encoders one after another over batches that bound their memory.
    private func compute(_ prompts: [String], on tape: Tape) throws -> [PromptEncoding] {
        tape.reset()
        defer { tape.reset() }
        let batch = max(1, Self.layerByteCount / (MemoryLayout<Float>.stride * layerElements))
        return try stride(from: 0, to: prompts.count, by: batch).flatMap { start in
            let texts = prompts[start..<min(start + batch, prompts.count)]
            let outputs = try encoders.map { encoder in
                try encoder.model(texts.map { encoder.tokenizer.encode($0, length: length) }, on: tape)
            }
            let clip = Tensor.joinedColumns(outputs.map(\.penultimate))
            let pooled = Tensor.joinedColumns(outputs.map(\.embeddings))
            let states = try t5.flatMap { t5 in
                t5Length == 0
                    ? nil
                    : try t5.model(texts.map { t5.tokenizer.encode($0, length: t5Length) }, on: tape)
            }
            return texts.indices.map { index in
                let row = index - start
                return PromptEncoding(
                    clip: clip.row(row),
                    pooled: pooled.row(row),
                    t5: states.map { $0.row(row) }
                )
            }
        }
    }

    /// Numbers that the widest layer makes of one prompt: some six rows as wide as a token, three as wide inside.
    private var layerElements: Int {
        let clip = encoders.map(\.model.configuration).map { length * (6 * $0.width + 3 * $0.innerWidth) }
        let t5 = t5?.model.configuration
        return max(1, clip.max() ?? 0, t5.map { t5Length * (6 * $0.width + 3 * $0.innerWidth) } ?? 0)
    }

    private func context(of encodings: [PromptEncoding]) -> Tensor {
        let zeros = Tensor.zeros([t5Length, width])
        return .stacked(
            encodings.map { encoding in
                let clip = Self.fitted(encoding.clip, to: width)
                guard t5Length > 0 else { return clip }
                return .concatenated([clip, encoding.t5 ?? zeros])
            }
        )
    }

    /// Rows filled up with zeros to a width, or cut to it, as the pipeline's negative padding does.
    private static func fitted(_ rows: Tensor, to width: Int) -> Tensor {
        let (count, found) = (rows.shape[0], rows.shape[1])
        if found == width { return rows }
        if found < width { return .joinedColumns([rows, .zeros([count, width - found])]) }
        let values = rows.values
        return Tensor(
            (0..<count).flatMap { values[$0 * found..<$0 * found + width] },
            shape: [count, width]
        )
    }
}

// MARK: - Checks

extension TextPipeline {
    private func checkWidths(_ transformer: TransformerConfiguration) throws(ModelError) {
        let path = "\(folder)/transformer/config.json"
        if let t5, t5.model.configuration.width != width {
            throw .unsupported(
                path: path,
                field: "joint_attention_dim",
                value: "\(width)",
                expected: "\(t5.model.configuration.width), the width of text_encoder_3"
            )
        }
        let pooled = encoders.reduce(0) { $0 + $1.model.configuration.projectionWidth }
        guard pooled == transformer.pooledProjectionWidth else {
            throw .unsupported(
                path: path,
                field: "pooled_projection_dim",
                value: "\(transformer.pooledProjectionWidth)",
                expected: "\(pooled), the projections of both CLIP encoders together"
            )
        }
    }

    /// A tokenizer must not give numbers that its encoder's table lacks.
    private func checkVocabularies() throws(ModelError) {
        var sizes = zip(["", "_2"], encoders).map {
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
