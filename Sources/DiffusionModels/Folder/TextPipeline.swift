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

    private let encoders: DeferredTextEncoders
    private let clip: [CLIPTextConfiguration]
    private let t5: T5TextConfiguration?
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

    /// Reads what the encoders' settings say; the encoders themselves are opened by ``open()`` or when needed.
    init(
        folder: String,
        index: ConfigurationFile,
        transformer: TransformerConfiguration
    ) throws(ModelError) {
        self.folder = folder
        var clip: [CLIPTextConfiguration] = []
        for suffix in ["", "_2"] {
            try index.checkComponent("text_encoder\(suffix)", isOf: "CLIPTextModelWithProjection")
            clip.append(try CLIPTextConfiguration(folder: "\(folder)/text_encoder\(suffix)"))
        }
        self.clip = clip
        if index.componentClass("text_encoder_3") != nil {
            try index.checkComponent("text_encoder_3", isOf: "T5EncoderModel")
            t5 = try T5TextConfiguration(folder: "\(folder)/text_encoder_3")
        } else {
            t5 = nil
        }
        encoders = DeferredTextEncoders(folder: folder, hasT5: t5 != nil)
        width = transformer.jointAttentionWidth
        t5Length = try index.index("max_sequence_length", or: Self.usualT5Length)
        guard t5Length <= Self.longestT5Length else {
            throw .unsupported(
                path: index.path,
                field: "max_sequence_length",
                value: "\(t5Length)",
                expected: "0 to \(Self.longestT5Length)"
            )
        }
        let longest = clip.map(\.positionCount).min() ?? 0
        // The pipeline takes the first tokenizer's length for both encoders.
        length = try TokenizerConfiguration(folder: "\(folder)/tokenizer").maximumLength ?? longest
        guard length <= longest else {
            throw .unsupported(
                path: "\(folder)/tokenizer/tokenizer_config.json",
                field: "model_max_length",
                value: "\(length)",
                expected: "at most \(longest), the tokens that both text encoders take"
            )
        }
        if let t5 { try checkWidth(of: t5) }
        try checkProjections(of: clip, transformer)
    }

    /// Opens the encoders and tokenizers, which are kept from then on.
    ///
    /// - Throws: a ``ModelError`` or a file's error, for the first thing that is wrong with one.
    package func open() throws { _ = try encoders.opened() }

    /// Whether the encoders and tokenizers were opened: not as long as every prompt was found in the cache.
    package var isOpen: Bool { encoders.isOpen }

    private var hasT5: Bool { t5 != nil }

    /// Tokens of an encoded prompt.
    package var tokenCount: Int { length + t5Length }

    /// What the encoders take while they encode so many prompts, none of which is kept.
    package func memory(ofPrompts count: Int) -> TextMemory {
        let layers = clip.map { ($0.layerSize, length) } + (t5.map { [($0.layerSize, t5Length)] } ?? [])
        return TextMemory(layers, prompts: count)
    }

    /// Tokens of a prompt for the CLIP encoder of an index, padded or cut to the encoder's length.
    package func tokens(of prompt: String, encoder: Int) throws -> [Int] {
        try encoders.opened().tokens(of: prompt, encoder: encoder, length: length)
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
        let names = ["", "_2"] + (hasT5 ? ["_3"] : [])
        let folders = names.flatMap { ["\(folder)/tokenizer\($0)", "\(folder)/text_encoder\($0)"] }
        var pipeline = self
        pipeline.cache = try PromptCache(folder: cacheFolder, byteLimit: byteLimit, modelFolders: folders)
        return pipeline
    }
}

// MARK: - Keeping

extension TextPipeline {
    private var lengths: [Int] { [length, hasT5 ? t5Length : 0] }

    /// Bytes that one prompt's encoding takes where it is kept, at most.
    package var keptByteCount: Int {
        let clipCount = clip.reduce(0) { $0 + length * $1.width + $1.projectionWidth }
        return ScalarType.float32.byteCount * (clipCount + lengths[1] * width) + PromptCache.headerByteCount
    }

    /// Sees to it that prompts' encodings are kept, in a pipeline with a cache.
    ///
    /// - Returns: how many were before.
    package func keep(_ prompts: [String], on tape: Tape) throws -> Int {
        guard let cache else { preconditionFailure("encodings are kept in a cache") }
        let missing = try prompts.filter { try cache.encoding(of: $0, lengths: lengths) == nil }
        if !missing.isEmpty { _ = try encode(missing, through: cache, on: tape) }
        return prompts.count - missing.count
    }

    /// Whether a prompt's encoding is kept.
    package func keeps(_ prompt: String) -> Bool { cache?.holds(prompt, lengths: lengths) ?? false }
}

// MARK: - Encoding

extension TextPipeline {
    private func encode(
        _ prompts: [String],
        through cache: PromptCache,
        on tape: Tape
    ) throws -> [PromptEncoding] {
        var found: [String: PromptEncoding] = [:]
        var missing: [String] = []
        for prompt in prompts where found[prompt] == nil && !missing.contains(prompt) {
            found[prompt] = try cache.encoding(of: prompt, lengths: lengths)
            if found[prompt] == nil { missing.append(prompt) }
        }
        if !missing.isEmpty {
            for (prompt, encoding) in zip(missing, try compute(missing, on: tape)) {
                try cache.store(encoding, of: prompt, lengths: lengths)
                found[prompt] = encoding
            }
            try cache.trim()
        }
        return prompts.compactMap { found[$0] }
    }

    private func compute(_ prompts: [String], on tape: Tape) throws -> [PromptEncoding] {
        try encoders.opened().encode(prompts, length: length, t5Length: hasT5 ? t5Length : 0, on: tape)
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
    private func checkWidth(of t5: T5TextConfiguration) throws(ModelError) {
        guard t5.width == width else {
            throw .unsupported(
                path: "\(folder)/transformer/config.json",
                field: "joint_attention_dim",
                value: "\(width)",
                expected: "\(t5.width), the width of text_encoder_3"
            )
        }
    }

    private func checkProjections(
        of clip: [CLIPTextConfiguration],
        _ transformer: TransformerConfiguration
    ) throws(ModelError) {
        let pooled = clip.reduce(0) { $0 + $1.projectionWidth }
        guard pooled == transformer.pooledProjectionWidth else {
            throw .unsupported(
                path: "\(folder)/transformer/config.json",
                field: "pooled_projection_dim",
                value: "\(transformer.pooledProjectionWidth)",
                expected: "\(pooled), the projections of both CLIP encoders together"
            )
        }
    }
}
