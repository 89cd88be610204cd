import Checkpoints
import Tensors

extension TransformerConfiguration {
    /// Reads `transformer/config.json`.
    init(_ file: ConfigurationFile) throws(ModelError) {
        guard let name = file.string("_class_name"), name == "SD3Transformer2DModel" else {
            throw .unsupported(
                path: file.path,
                field: "_class_name",
                value: file.string("_class_name") ?? "absent",
                expected: "SD3Transformer2DModel"
            )
        }
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
