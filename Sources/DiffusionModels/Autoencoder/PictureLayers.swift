import Tensors

/// A group norm over a picture.
struct PictureNorm: Sendable {
    private let weight: Tensor
    private let bias: Tensor
    private let groups: Int
    /// diffusers gives every norm of an autoencoder this one.
    private static let epsilon: Float = 1e-6

    init(_ name: String, channels: Int, groups: Int, from weights: Weights) throws(ModelError) {
        weight = try weights.tensor(name + ".weight", shape: [channels])
        bias = try weights.tensor(name + ".bias", shape: [channels])
        self.groups = groups
    }

    /// The norm of `x`, `[height, width, channels]`, for the convolution that reads it.
    func callAsFunction(_ x: Tensor, activates: Bool, on tape: Tape) -> ChannelNormalization {
        tape.channelNormalization(
            of: x,
            groups: groups,
            weight: weight,
            bias: bias,
            epsilon: Self.epsilon,
            activates: activates
        )
    }
}

extension PictureConvolution {
    /// The convolution `name` of some weights.
    init(
        _ name: String,
        inputs: Int,
        outputs: Int,
        kernel: Int,
        sampling: Sampling = .same,
        from weights: Weights
    ) throws(ModelError) {
        self.init(
            weight: try weights.tensor(name + ".weight", shape: [outputs, inputs, kernel, kernel]),
            bias: try weights.tensor(name + ".bias", shape: [outputs]),
            sampling: sampling
        )
    }
}

/// Two convolutions, each behind a norm and SiLU, added to the input (diffusers' `ResnetBlock2D`).
struct PictureResidualBlock: Sendable {
    private let norms: [PictureNorm]
    private let convolutions: [PictureConvolution]
    /// nil where the channels stay.
    private let shortcut: PictureConvolution?

    init(
        _ name: String,
        inputs: Int,
        outputs: Int,
        groups: Int,
        from weights: Weights
    ) throws(ModelError) {
        norms = [
            try PictureNorm(name + ".norm1", channels: inputs, groups: groups, from: weights),
            try PictureNorm(name + ".norm2", channels: outputs, groups: groups, from: weights),
        ]
        convolutions = [
            try PictureConvolution(
                name + ".conv1",
                inputs: inputs,
                outputs: outputs,
                kernel: 3,
                from: weights
            ),
            try PictureConvolution(
                name + ".conv2",
                inputs: outputs,
                outputs: outputs,
                kernel: 3,
                from: weights
            ),
        ]
        shortcut =
            inputs == outputs
            ? nil
            : try PictureConvolution(
                name + ".conv_shortcut",
                inputs: inputs,
                outputs: outputs,
                kernel: 1,
                from: weights
            )
    }

    /// Replaces `x`, `[height, width, channels]`, which nobody else reads.
    func apply(to x: inout Tensor, on tape: Tape) {
        let inner = tape.convolve(x, convolutions[0], norm: norms[0](x, activates: true, on: tape))
        if let shortcut { x = tape.convolve(x, shortcut) }
        let norm = norms[1](inner, activates: true, on: tape)
        x = tape.convolve(inner, convolutions[1], norm: norm, addingTo: x)
    }
}

/// Attention of a picture's positions, one head, added to the input (diffusers' `Attention` in `UNetMidBlock2D`).
struct PictureAttention: Sendable {
    private let norm: PictureNorm
    private let query: PictureConvolution
    private let key: PictureConvolution
    private let value: PictureConvolution
    private let output: PictureConvolution

    init(_ name: String, channels: Int, groups: Int, from weights: Weights) throws(ModelError) {
        func map(_ part: String) throws(ModelError) -> PictureConvolution {
            let weight = try weights.tensor("\(name).\(part).weight", shape: [channels, channels])
            return PictureConvolution(
                weight: weight.reshaped([channels, channels, 1, 1]),
                bias: try weights.tensor("\(name).\(part).bias", shape: [channels])
            )
        }
        norm = try PictureNorm(name + ".group_norm", channels: channels, groups: groups, from: weights)
        query = try map("to_q")
        key = try map("to_k")
        value = try map("to_v")
        output = try map("to_out.0")
    }

    /// Replaces `x`, `[height, width, channels]`, which nobody else reads.
    func apply(to x: inout Tensor, on tape: Tape) {
        let norm = norm(x, activates: false, on: tape)
        let tokens = [1, x.shape[0] * x.shape[1], x.shape[2]]
        func project(_ map: PictureConvolution) -> Variable {
            Variable(constant: tape.convolve(x, map, norm: norm).reshaped(tokens))
        }
        let attended = tape.attention(
            queries: [project(query)],
            keys: [project(key)],
            values: [project(value)],
            heads: 1
        )
        x = tape.convolve(attended[0].value.reshaped(x.shape), output, addingTo: x)
        tape.reset()
    }
}

/// What stands between encoder and decoder blocks: a residual block, an attention, a residual block.
struct PictureMiddle: Sendable {
    private let blocks: [PictureResidualBlock]
    private let attention: PictureAttention?

    init(_ name: String, _ configuration: AutoencoderConfiguration, from weights: Weights) throws(ModelError)
    {
        let channels = configuration.blockChannels[configuration.blockChannels.count - 1]
        let groups = configuration.normGroups
        var blocks: [PictureResidualBlock] = []
        for index in 0..<2 {
            blocks.append(
                try PictureResidualBlock(
                    "\(name).resnets.\(index)",
                    inputs: channels,
                    outputs: channels,
                    groups: groups,
                    from: weights
                )
            )
        }
        self.blocks = blocks
        attention =
            configuration.hasMiddleAttention
            ? try PictureAttention(name + ".attentions.0", channels: channels, groups: groups, from: weights)
            : nil
    }

    /// Replaces `x`, which nobody else reads.
    func apply(to x: inout Tensor, on tape: Tape) {
        blocks[0].apply(to: &x, on: tape)
        attention?.apply(to: &x, on: tape)
        blocks[1].apply(to: &x, on: tape)
    }
}

/// Residual blocks of one extent, and the convolution that changes it behind them.
struct PictureBlock: Sendable {
    private let layers: [PictureResidualBlock]
    private let resampling: PictureConvolution?

    /// - Parameter resampling: the convolution's name and what it does; nil where the extent stays.
    init(
        _ name: String,
        inputs: Int,
        outputs: Int,
        layerCount: Int,
        groups: Int,
        resampling: (name: String, sampling: PictureConvolution.Sampling)?,
        from weights: Weights
    ) throws(ModelError) {
        var layers: [PictureResidualBlock] = []
        for index in 0..<layerCount {
            layers.append(
                try PictureResidualBlock(
                    "\(name).resnets.\(index)",
                    inputs: index == 0 ? inputs : outputs,
                    outputs: outputs,
                    groups: groups,
                    from: weights
                )
            )
        }
        self.layers = layers
        if let resampling {
            self.resampling = try PictureConvolution(
                "\(name).\(resampling.name)",
                inputs: outputs,
                outputs: outputs,
                kernel: 3,
                sampling: resampling.sampling,
                from: weights
            )
        } else {
            self.resampling = nil
        }
    }

    /// Replaces `x`, which nobody else reads.
    func apply(to x: inout Tensor, on tape: Tape) {
        for layer in layers { layer.apply(to: &x, on: tape) }
        if let resampling { x = tape.convolve(x, resampling) }
    }
}
