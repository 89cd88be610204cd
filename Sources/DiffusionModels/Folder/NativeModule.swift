/// Where a linear map of diffusers' transformer stands in Stability AI's own layout, which ComfyUI and kohya's tools
/// name adapters after (as diffusers' `convert_sd3_transformer_checkpoint_to_diffusers` reads it).
struct NativeModule: Equatable {
    /// For example `joint_blocks.0.x_block.attn.qkv`.
    let name: String
    /// Which third of a joint map for queries, keys and values it is; nil for a map of its own.
    let part: Int?
    /// The first half of the outputs comes second there: shift before scale.
    let swapsHalves: Bool

    private init(_ name: String, part: Int? = nil, swapsHalves: Bool = false) {
        self.name = name
        self.part = part
        self.swapsHalves = swapsHalves
    }

    /// The place of a map named as in diffusers; nil for one that has none.
    init?(_ module: String, layerCount: Int) {
        let outside = [
            "context_embedder": NativeModule("context_embedder"),
            "time_text_embed.timestep_embedder.linear_1": NativeModule("t_embedder.mlp.0"),
            "time_text_embed.timestep_embedder.linear_2": NativeModule("t_embedder.mlp.2"),
            "time_text_embed.text_embedder.linear_1": NativeModule("y_embedder.mlp.0"),
            "time_text_embed.text_embedder.linear_2": NativeModule("y_embedder.mlp.2"),
            "norm_out.linear": NativeModule("final_layer.adaLN_modulation.1", swapsHalves: true),
            "proj_out": NativeModule("final_layer.linear"),
        ]
        if let found = outside[module] {
            self = found
            return
        }
        let path = module.split(separator: ".", maxSplits: 2).map(String.init)
        guard path.count == 3, path[0] == "transformer_blocks", let index = Int(path[1]) else { return nil }
        let inside: (name: String, part: Int?)
        switch path[2] {
        case "attn.to_q": inside = ("x_block.attn.qkv", 0)
        case "attn.to_k": inside = ("x_block.attn.qkv", 1)
        case "attn.to_v": inside = ("x_block.attn.qkv", 2)
        case "attn.to_out.0": inside = ("x_block.attn.proj", nil)
        case "attn.add_q_proj": inside = ("context_block.attn.qkv", 0)
        case "attn.add_k_proj": inside = ("context_block.attn.qkv", 1)
        case "attn.add_v_proj": inside = ("context_block.attn.qkv", 2)
        case "attn.to_add_out": inside = ("context_block.attn.proj", nil)
        case "attn2.to_q": inside = ("x_block.attn2.qkv", 0)
        case "attn2.to_k": inside = ("x_block.attn2.qkv", 1)
        case "attn2.to_v": inside = ("x_block.attn2.qkv", 2)
        case "attn2.to_out.0": inside = ("x_block.attn2.proj", nil)
        case "ff.net.0.proj": inside = ("x_block.mlp.fc1", nil)
        case "ff.net.2": inside = ("x_block.mlp.fc2", nil)
        case "ff_context.net.0.proj": inside = ("context_block.mlp.fc1", nil)
        case "ff_context.net.2": inside = ("context_block.mlp.fc2", nil)
        case "norm1.linear": inside = ("x_block.adaLN_modulation.1", nil)
        case "norm1_context.linear": inside = ("context_block.adaLN_modulation.1", nil)
        default: return nil
        }
        // The last block's text norm has a scale and a shift alone, in diffusers' order of a continuous norm.
        let swaps = path[2] == "norm1_context.linear" && index == layerCount - 1
        self.init("joint_blocks.\(index).\(inside.name)", part: inside.part, swapsHalves: swaps)
    }
}
