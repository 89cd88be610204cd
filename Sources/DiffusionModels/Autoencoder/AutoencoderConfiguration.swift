/// The shape of an autoencoder: `vae/config.json` of a diffusers folder, class `AutoencoderKL`.
package struct AutoencoderConfiguration: Sendable, Equatable {
    /// Channels of a picture.
    package var pictureChannels: Int
    package var latentChannels: Int
    /// Channels of the blocks, from pixels to latents; each but the last halves the extent.
    package var blockChannels: [Int]
    /// Residual blocks of a block on the way to latents; one more on the way back.
    package var layersPerBlock: Int
    package var normGroups: Int
    package var hasMiddleAttention: Bool
    /// A 1 × 1 convolution stands behind the encoder.
    package var hasConvolutionBehindEncoder: Bool
    /// A 1 × 1 convolution stands before the decoder.
    package var hasConvolutionBeforeDecoder: Bool
    /// A diffusion model's latents are (latents − shift) · scale.
    package var scale: Float
    package var shift: Float

    /// Pixels along the side of a latent pixel.
    package var pixelsPerLatent: Int { 1 << (blockChannels.count - 1) }
}

extension AutoencoderConfiguration {
    /// Reads `vae/config.json`.
    init(_ file: ConfigurationFile) throws(ModelError) {
        try file.require("_class_name", "AutoencoderKL")
        try file.require("act_fn", "silu", orAbsent: true)
        blockChannels = try file.counts("block_out_channels")
        let count = blockChannels.count
        for (field, block) in [
            ("down_block_types", "DownEncoderBlock2D"), ("up_block_types", "UpDecoderBlock2D"),
        ] {
            guard file.strings(field) == [String](repeating: block, count: count) else {
                throw .unsupported(
                    path: file.path,
                    field: field,
                    value: file.strings(field).joined(separator: ", "),
                    expected: "\(block), \(count) times"
                )
            }
        }
        for field in ["latents_mean", "latents_std"] where file.isPresent(field) {
            throw .unsupported(path: file.path, field: field, value: "given", expected: "null")
        }
        pictureChannels = try file.count("in_channels", or: 3)
        let outChannels = try file.count("out_channels", or: 3)
        guard outChannels == pictureChannels else {
            throw .unsupported(
                path: file.path,
                field: "out_channels",
                value: "\(outChannels)",
                expected: "\(pictureChannels), as in_channels"
            )
        }
        latentChannels = try file.count("latent_channels", or: 4)
        layersPerBlock = try file.count("layers_per_block", or: 1)
        normGroups = try file.count("norm_num_groups", or: 32)
        for channels in blockChannels where channels % normGroups != 0 {
            throw .unsupported(
                path: file.path,
                field: "block_out_channels",
                value: "\(blockChannels)",
                expected: "multiples of norm_num_groups \(normGroups)"
            )
        }
        hasMiddleAttention = try file.isTrue("mid_block_add_attention", or: true)
        hasConvolutionBehindEncoder = try file.isTrue("use_quant_conv", or: true)
        hasConvolutionBeforeDecoder = try file.isTrue("use_post_quant_conv", or: true)
        scale = try file.number("scaling_factor", or: 0.18215)
        shift = try file.number("shift_factor", or: 0)
        guard scale != 0 else {
            throw .unsupported(
                path: file.path,
                field: "scaling_factor",
                value: "0",
                expected: "another number"
            )
        }
    }
}
