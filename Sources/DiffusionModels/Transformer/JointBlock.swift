import NeuralNetwork
package import Tensors

/// One block of the MMDiT (Esser and others 2024, figure 2; diffusers' `JointTransformerBlock`): picture and text
/// each have their own maps and meet in one attention.
package struct JointBlock: Sendable {
    private let heads: Int
    private let width: Int
    private let pictureModulation: Linear
    private let textModulation: Linear
    private let picture: AttentionStream
    private let text: AttentionStream
    /// SD3.5-Medium: a second attention of the picture with itself.
    private let second: AttentionStream?
    private let pictureFeedForward: FeedForward
    /// nil when nothing reads the text after this block.
    private let textFeedForward: FeedForward?

    /// Takes the parameters `transformer_blocks.<index>.…` of a source.
    ///
    /// - Parameter isTextRead: false for the last block, after which nobody reads the text.
    package init(
        index: Int,
        isTextRead: Bool,
        _ configuration: TransformerConfiguration,
        from source: some ParameterSource
    ) throws(ModelError) {
        let name = "transformer_blocks.\(index)."
        let width = configuration.width
        let isDual = configuration.dualAttentionLayers.contains(index)
        // The last block of a whole network has a text norm of two chunks; a shortened network's has six.
        let textChunks = index == configuration.layerCount - 1 ? 2 : 6
        heads = configuration.headCount
        self.width = width
        pictureModulation = try source.linear(
            name + "norm1.linear",
            inputs: width,
            outputs: (isDual ? 9 : 6) * width
        )
        textModulation = try source.linear(
            name + "norm1_context.linear",
            inputs: width,
            outputs: textChunks * width
        )
        textScaleComesFirst = textChunks == 2
        picture = try AttentionStream(name + "attn.", .picture, configuration, isRead: true, from: source)
        text = try AttentionStream(name + "attn.", .text, configuration, isRead: isTextRead, from: source)
        second =
            isDual
            ? try AttentionStream(name + "attn2.", .picture, configuration, isRead: true, from: source) : nil
        pictureFeedForward = try FeedForward(name + "ff", width: width, from: source)
        textFeedForward =
            isTextRead ? try FeedForward(name + "ff_context", width: width, from: source) : nil
    }

    /// diffusers' `AdaLayerNormContinuous` gives the scale before the shift, the other norms after it.
    private let textScaleComesFirst: Bool

    /// Moves picture and text through the block.
    ///
    /// - Parameters:
    ///   - x: picture tokens `[samples, tokens, width]`; written over when nothing is recorded.
    ///   - c: text tokens `[samples, text tokens, width]`; likewise.
    ///   - condition: `[samples, width]`, after its SiLU.
    package func callAsFunction(
        _ x: inout Variable,
        _ c: inout Variable,
        condition: Variable,
        on tape: Tape
    ) {
        let m = Modulation(pictureModulation(condition, on: tape), width: width)
        let n = Modulation(textModulation(condition, on: tape), width: width)
        let normalized = tape.layerNorm(
            x,
            modulation: m,
            shift: 0,
            scale: 1,
            rounding: picture.readsRounded(on: tape)
        )
        let normalizedText = tape.layerNorm(
            c,
            modulation: n,
            shift: textScaleComesFirst ? 1 : 0,
            scale: textScaleComesFirst ? 0 : 1,
            rounding: text.readsRounded(on: tape)
        )
        let p = picture.project(normalized, on: tape)
        let t = text.project(normalizedText, on: tape)
        let attended = tape.attention(
            queries: [p.query, t.query].compactMap(\.self),
            keys: [p.key, t.key],
            values: [p.value, t.value],
            norms: [picture.norms, text.norms],
            heads: heads,
            precision: picture.precision,
            rounding: picture.finishesRounded(on: tape) && text.finishesRounded(on: tape)
        )
        let branch = picture.finish(attended[0], on: tape)
        if let second {
            let again = tape.layerNorm(
                x,
                modulation: m,
                shift: 6,
                scale: 7,
                rounding: second.readsRounded(on: tape)
            )
            let q = second.project(again, on: tape)
            let alone = tape.attention(
                queries: [q.query].compactMap(\.self),
                keys: [q.key],
                values: [q.value],
                norms: [second.norms],
                heads: heads,
                precision: second.precision,
                rounding: second.finishesRounded(on: tape)
            )
            x = tape.gatedResidual(x, branch, modulation: m, gate: 2)
            let extra = second.finish(alone[0], on: tape)
            x = tape.gatedResidual(x, extra, modulation: m, gate: 8)
        } else {
            x = tape.gatedResidual(x, branch, modulation: m, gate: 2)
        }
        let inner = feed(pictureFeedForward, x, m, on: tape)
        x = tape.gatedResidual(x, inner, modulation: m, gate: 5)

        guard let textFeedForward else { return }
        let textBranch = text.finish(attended[1], on: tape)
        c = tape.gatedResidual(c, textBranch, modulation: n, gate: 2)
        let textInner = feed(textFeedForward, c, n, on: tape)
        c = tape.gatedResidual(c, textInner, modulation: n, gate: 5)
    }

    /// The feed-forward of normalised tokens.
    private func feed(_ maps: FeedForward, _ x: Variable, _ m: Modulation, on tape: Tape) -> Branch {
        let normalized = tape.layerNorm(
            x,
            modulation: m,
            shift: 3,
            scale: 4,
            rounding: maps.readsRounded(on: tape)
        )
        return maps(normalized, on: tape)
    }
}
