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
        try file.require("qk_norm", "rms_norm", orAbsent: true)
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
            normalizesQueriesAndKeys: file.isPresent("qk_norm"),
            dualAttentionLayers: Set(try file.indices("dual_attention_layers"))
        )
    }
}
