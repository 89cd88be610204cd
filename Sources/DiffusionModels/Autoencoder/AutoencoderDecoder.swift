import Tensors

/// Latents to pictures: diffusers' `Decoder`, behind the convolution before it where there is one.
struct AutoencoderDecoder: Sendable {
    private let before: PictureConvolution?
    private let enter: PictureConvolution
    private let middle: PictureMiddle
    private let blocks: [PictureBlock]
    private let norm: PictureNorm
    private let exit: PictureConvolution

    init(_ configuration: AutoencoderConfiguration, from weights: Weights) throws(ModelError) {
        let channels = Array(configuration.blockChannels.reversed())
        let latents = configuration.latentChannels
        let groups = configuration.normGroups
        before =
            configuration.hasConvolutionBeforeDecoder
            ? try PictureConvolution(
                "post_quant_conv",
                inputs: latents,
                outputs: latents,
                kernel: 1,
                from: weights
            )
            : nil
        enter = try PictureConvolution(
            "decoder.conv_in",
            inputs: latents,
            outputs: channels[0],
            kernel: 3,
            from: weights
        )
        middle = try PictureMiddle("decoder.mid_block", configuration, from: weights)
        var blocks: [PictureBlock] = []
        for (index, outputs) in channels.enumerated() {
            blocks.append(
                try PictureBlock(
                    "decoder.up_blocks.\(index)",
                    inputs: channels[max(0, index - 1)],
                    outputs: outputs,
                    layerCount: configuration.layersPerBlock + 1,
                    groups: groups,
                    resampling: index < channels.count - 1 ? ("upsamplers.0.conv", .doubling) : nil,
                    from: weights
                )
            )
        }
        self.blocks = blocks
        let last = channels[channels.count - 1]
        norm = try PictureNorm("decoder.conv_norm_out", channels: last, groups: groups, from: weights)
        exit = try PictureConvolution(
            "decoder.conv_out",
            inputs: last,
            outputs: configuration.pictureChannels,
            kernel: 3,
            from: weights
        )
    }

    /// `[height, width, latent channels]` to `[pixels, pixels, picture channels]`.
    func callAsFunction(_ latents: Tensor, on tape: Tape) -> Tensor {
        var x = tape.convolve(before.map { tape.convolve(latents, $0) } ?? latents, enter)
        middle.apply(to: &x, on: tape)
        for block in blocks { block.apply(to: &x, on: tape) }
        return tape.convolve(x, exit, norm: norm(x, activates: true, on: tape))
    }
}
