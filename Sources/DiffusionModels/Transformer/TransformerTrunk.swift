import NeuralNetwork
import Tensors

/// The MMDiT up to some depth, without its last projection: what velocity model and discriminator share.
struct TransformerTrunk: Sendable {
    let configuration: TransformerConfiguration
    /// Blocks computed.
    var depth: Int { blocks.count }
    private let patches: PatchEmbedding
    private let context: Linear
    private let condition: ConditionEmbedding
    private let blocks: [JointBlock]
    /// Blocks keep their inputs alone and are computed again in the backward pass.
    var recomputesBlocks = false

    /// The first `depth` blocks; after the last of them nobody reads the text.
    init(
        _ configuration: TransformerConfiguration,
        depth: Int,
        from source: some ParameterSource
    ) throws(ModelError) {
        precondition(
            (1...configuration.layerCount).contains(depth),
            "a depth of 1 ... \(configuration.layerCount), got \(depth)"
        )
        self.configuration = configuration
        patches = try PatchEmbedding(configuration, from: source)
        context = try source.linear(
            "context_embedder",
            inputs: configuration.jointAttentionWidth,
            outputs: configuration.width
        )
        condition = try ConditionEmbedding(configuration, from: source)
        var blocks: [JointBlock] = []
        for index in 0..<depth {
            blocks.append(
                try JointBlock(index: index, isTextRead: index < depth - 1, configuration, from: source)
            )
        }
        self.blocks = blocks
    }

    /// What the trunk computes.
    struct Output {
        /// Picture tokens after the last block, `[samples, tokens, width]`.
        let tokens: Variable
        /// The modulating vector after its SiLU, `[samples, width]`.
        let condition: Variable
        /// Picture tokens after every block, if they were asked for.
        let features: [Variable]
    }

    /// - Parameters:
    ///   - latents: `[samples, channels, height, width]`.
    ///   - text: text of the same number of samples.
    ///   - times: what the network sees of the noise levels, 1000 σ, one a sample.
    ///   - keepsFeatures: whether to return the tokens after every block.
    func callAsFunction(
        latents: Variable,
        text: TextCondition,
        times: [Float],
        keepsFeatures: Bool = false,
        on tape: Tape
    ) -> Output {
        precondition(
            latents.shape.count == 4 && latents.shape[0] == times.count
                && text.context.shape[0] == times.count,
            "\(times.count) noise levels and \(text.context.shape[0]) texts for latents \(latents.shape)"
        )
        var x = patches(latents, on: tape)
        var c = context(text.context, on: tape)
        let condition = condition(times: times, pooled: text.pooled, on: tape)
        var features: [Variable] = []
        for index in blocks.indices {
            tape.scratch { apply(blocks[index], &x, &c, condition: condition, on: tape) }
            guard keepsFeatures else { continue }
            // Without a recording the next block writes over x.
            features.append(tape.isRecording ? x : Variable(constant: x.value.copied()))
        }
        return Output(tokens: x, condition: condition, features: features)
    }

    private func apply(
        _ block: JointBlock,
        _ x: inout Variable,
        _ c: inout Variable,
        condition: Variable,
        on tape: Tape
    ) {
        guard recomputesBlocks else { return block(&x, &c, condition: condition, on: tape) }
        let outputs = tape.recomputed([x, c, condition], outputs: 2) { tape, inputs in
            var (x, c) = (inputs[0], inputs[1])
            block(&x, &c, condition: inputs[2], on: tape)
            return [x, c]
        }
        (x, c) = (outputs[0], outputs[1])
    }
}

extension TransformerTrunk {
    /// True for the weights that a trunk of this depth reads and may train: nobody reads the text after its last block,
    /// and the position table stays as it is.
    static func isTrainable(_ name: String, depth: Int) -> Bool {
        if name == "pos_embed.pos_embed" || name.hasPrefix("norm_out.") || name.hasPrefix("proj_out.") {
            return false
        }
        let path = name.split(separator: ".")
        guard path.first == "transformer_blocks", path.count > 3, let index = Int(path[1]) else {
            return true
        }
        guard index == depth - 1 else { return index < depth }
        let isOfUnreadText =
            path[2] == "ff_context"
            || ["add_q_proj", "to_add_out", "norm_added_q"].contains(String(path[3]))
        return !isOfUnreadText
    }
}
