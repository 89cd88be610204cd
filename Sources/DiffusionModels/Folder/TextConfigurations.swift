import Checkpoints
import Tensors

/// The activation functions by transformers' names.
private let activations: [String: Activation] = [
    "quick_gelu": .quickGELU, "gelu": .gelu, "gelu_new": .geluTanh, "gelu_pytorch_tanh": .geluTanh,
    "relu": .relu, "silu": .silu, "swish": .silu,
]

extension CLIPTextConfiguration {
    /// Reads a text encoder's `config.json`; what the file leaves out is as in transformers' `CLIPTextConfig`.
    init(_ file: ConfigurationFile) throws(ModelError) {
        try file.check("model_type", isOneOf: ["clip_text_model"])
        try file.check("architectures", isOneOf: ["CLIPTextModelWithProjection"])
        let name = try file.string("hidden_act", or: "quick_gelu")
        let width = try file.count("hidden_size")
        let heads = try file.count("num_attention_heads")
        guard width % heads == 0 else {
            throw .unsupported(
                path: file.path,
                field: "num_attention_heads",
                value: "\(heads)",
                expected: "a divisor of hidden_size \(width)"
            )
        }
        self.init(
            vocabularySize: try file.count("vocab_size"),
            width: width,
            innerWidth: try file.count("intermediate_size"),
            projectionWidth: try file.count("projection_dim", or: 512),
            layerCount: try file.count("num_hidden_layers"),
            headCount: heads,
            positionCount: try file.count("max_position_embeddings", or: 77),
            activation: try file.activation("hidden_act", named: name),
            normEpsilon: try file.number("layer_norm_eps", or: 1e-5),
            endToken: try file.index("eos_token_id", or: 49407),
            initializerFactor: try file.number("initializer_factor", or: 1)
        )
    }
}

extension T5TextConfiguration {
    /// Reads a text encoder's `config.json`; what the file leaves out is as in transformers' `T5Config`.
    init(_ file: ConfigurationFile) throws(ModelError) {
        try file.check("model_type", isOneOf: ["t5"])
        let field = "feed_forward_proj"
        let projection = try file.string(field, or: "relu")
        let words = projection.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        guard let name = words.last, words.count == 1 || (words.count == 2 && words[0] == "gated") else {
            throw .unsupported(
                path: file.path,
                field: field,
                value: projection,
                expected: "an activation, or gated- and an activation"
            )
        }
        // What T5 1.1's configurations call gated-gelu is the approximation by tanh.
        let isOldName = projection == "gated-gelu"
        self.init(
            vocabularySize: try file.count("vocab_size"),
            width: try file.count("d_model"),
            headCount: try file.count("num_heads"),
            headWidth: try file.count("d_kv"),
            innerWidth: try file.count("d_ff"),
            layerCount: try file.count("num_layers"),
            bucketCount: try file.count("relative_attention_num_buckets", or: 32),
            largestDistance: try file.count("relative_attention_max_distance", or: 128),
            activation: try file.activation(field, named: isOldName ? "gelu_new" : name),
            isGated: words.count == 2,
            normEpsilon: try file.number("layer_norm_epsilon", or: 1e-6)
        )
        guard bucketCount >= 4, largestDistance > bucketCount / 4 else {
            throw .unsupported(
                path: file.path,
                field: "relative_attention_num_buckets, relative_attention_max_distance",
                value: "\(bucketCount), \(largestDistance)",
                expected: "4 buckets or more, and a distance of more than a quarter of them"
            )
        }
    }
}

extension ConfigurationFile {
    fileprivate func activation(_ field: String, named name: String) throws(ModelError) -> Activation {
        guard let activation = activations[name] else {
            throw .unsupported(
                path: path,
                field: field,
                value: name,
                expected: activations.keys.sorted().joined(separator: ", ")
            )
        }
        return activation
    }
}

extension CLIPTextEncoder {
    /// Opens a component folder, `config.json` beside its weights.
    package init(folder: String) throws {
        try self.init(CLIPTextConfiguration(folder: folder), from: SafetensorsFolder(path: folder))
    }
}

extension T5TextEncoder {
    /// Opens a component folder, `config.json` beside its weights.
    package init(folder: String) throws {
        try self.init(T5TextConfiguration(folder: folder), from: SafetensorsFolder(path: folder))
    }
}

extension CLIPTextConfiguration {
    /// Reads the `config.json` of a component folder.
    init(folder: String) throws(ModelError) {
        try self.init(
            ConfigurationFile(path: "\(folder)/config.json", purpose: "it describes the text encoder")
        )
    }
}

extension T5TextConfiguration {
    /// Reads the `config.json` of a component folder.
    init(folder: String) throws(ModelError) {
        try self.init(
            ConfigurationFile(path: "\(folder)/config.json", purpose: "it describes the text encoder")
        )
    }
}
