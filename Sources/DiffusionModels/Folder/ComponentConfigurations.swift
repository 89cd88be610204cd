import Checkpoints
import Tensors

extension TransformerConfiguration {
    /// Reads the `config.json` of a component folder.
    package init(folder: String) throws(ModelError) {
        try self.init(
            ConfigurationFile(path: "\(folder)/config.json", purpose: "it describes the transformer")
        )
    }

    /// Reads `transformer/config.json`.
    init(_ file: ConfigurationFile) throws(ModelError) {
        try file.require("_class_name", "SD3Transformer2DModel")
        let norm = file.string("qk_norm")
        guard norm == nil || norm == "rms_norm" else {
            throw .unsupported(
                path: file.path,
                field: "qk_norm",
                value: norm ?? "",
                expected: "rms_norm or null"
            )
        }
        let inChannels = try file.count("in_channels")
        self.init(
            sampleSize: try file.count("sample_size"),
            patchSize: try file.count("patch_size"),
            inChannels: inChannels,
            outChannels: try file.count("out_channels", or: inChannels),
            layerCount: try file.count("num_layers"),
            headCount: try file.count("num_attention_heads"),
            headWidth: try file.count("attention_head_dim"),
            jointAttentionWidth: try file.count("joint_attention_dim"),
            pooledProjectionWidth: try file.count("pooled_projection_dim"),
            positionTableSize: try file.count("pos_embed_max_size"),
            normalizesQueriesAndKeys: norm != nil,
            dualAttentionLayers: Set(file.integers("dual_attention_layers"))
        )
    }
}

extension CLIPTextConfiguration {
    /// Reads a text encoder's `config.json`.
    init(_ file: ConfigurationFile) throws(ModelError) {
        let activations: [String: Activation] = [
            "quick_gelu": .quickGELU, "gelu": .gelu, "gelu_pytorch_tanh": .geluTanh,
        ]
        let name = file.string("hidden_act") ?? "quick_gelu"
        guard let activation = activations[name] else {
            throw .unsupported(
                path: file.path,
                field: "hidden_act",
                value: name,
                expected: activations.keys.sorted().joined(separator: ", ")
            )
        }
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
            projectionWidth: try file.count("projection_dim"),
            layerCount: try file.count("num_hidden_layers"),
            headCount: heads,
            positionCount: try file.count("max_position_embeddings"),
            activation: activation,
            normEpsilon: try file.number("layer_norm_eps", or: 1e-5),
            endToken: try file.count("eos_token_id", or: 2)
        )
    }
}

extension CLIPTextEncoder {
    /// Opens a component folder, `config.json` beside its weights.
    package init(folder: String) throws {
        let configuration = try CLIPTextConfiguration(
            ConfigurationFile(path: "\(folder)/config.json", purpose: "it describes the text encoder")
        )
        let tensors = try SafetensorsFolder(path: folder).tensors()
        try self.init(configuration, from: Weights(origin: folder, tensors: tensors))
    }
}
