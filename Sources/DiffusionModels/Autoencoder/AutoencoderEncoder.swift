import Tensors

/// Pictures to the mean of their latents: diffusers' `Encoder`, and the convolution behind it where there is one.
struct AutoencoderEncoder: Sendable {
    private let latentChannels: Int
    private let enter: PictureConvolution
    private let blocks: [PictureBlock]
    private let middle: PictureMiddle
    private let norm: PictureNorm
    private let exit: PictureConvolution
    private let behind: PictureConvolution?

    init(_ configuration: AutoencoderConfiguration, from weights: Weights) throws(ModelError) {
        let channels = configuration.blockChannels
        let groups = configuration.normGroups
        // Mean and logarithm of the variance.
        let moments = 2 * configuration.latentChannels
        latentChannels = configuration.latentChannels
        enter = try PictureConvolution(
            "encoder.conv_in",
            inputs: configuration.pictureChannels,
            outputs: channels[0],
            kernel: 3,
            from: weights
        )
        var blocks: [PictureBlock] = []
        for (index, outputs) in channels.enumerated() {
            blocks.append(
                try PictureBlock(
                    "encoder.down_blocks.\(index)",
                    inputs: channels[max(0, index - 1)],
                    outputs: outputs,
                    layerCount: configuration.layersPerBlock,
                    groups: groups,
                    resampling: index < channels.count - 1 ? ("downsamplers.0.conv", .halving) : nil,
                    from: weights
                )
            )
        }
        self.blocks = blocks
        middle = try PictureMiddle("encoder.mid_block", configuration, from: weights)
        let last = channels[channels.count - 1]
        norm = try PictureNorm("encoder.conv_norm_out", channels: last, groups: groups, from: weights)
        exit = try PictureConvolution(
            "encoder.conv_out",
            inputs: last,
            outputs: moments,
            kernel: 3,
            from: weights
        )
        behind =
            configuration.hasConvolutionBehindEncoder
            ? try PictureConvolution(
                "quant_conv",
                inputs: moments,
                outputs: moments,
                kernel: 1,
                from: weights
            ) : nil
    }

    /// `[pixels, pixels, picture channels]` to `[height, width, latent channels]`.
    func callAsFunction(_ picture: Tensor, on tape: Tape) -> Tensor {
        var x = tape.convolve(picture, enter)
        for block in blocks { block.apply(to: &x, on: tape) }
        middle.apply(to: &x, on: tape)
        let moments = tape.convolve(x, exit, norm: norm(x, activates: true, on: tape))
        let behindMoments = behind.map { tape.convolve(moments, $0) } ?? moments
        return behindMoments.firstColumns(latentChannels)
    }
}
