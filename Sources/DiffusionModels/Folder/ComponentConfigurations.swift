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
