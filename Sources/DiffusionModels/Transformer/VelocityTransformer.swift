import NeuralNetwork
package import Tensors

/// An SD3-type velocity model v(z, σ, text): the MMDiT of diffusers' `SD3Transformer2DModel`.
package struct VelocityTransformer: Sendable {
    private var trunk: TransformerTrunk
    private let outputModulation: Linear
    private let projection: Linear

    package var configuration: TransformerConfiguration { trunk.configuration }

    /// Whether training keeps only the blocks' inputs and computes the blocks again in the backward pass: about
    /// a third more work, memory for one block's activations instead of all (gradient checkpointing).
    package var recomputesBlocks: Bool {
        get { trunk.recomputesBlocks }
        set { trunk.recomputesBlocks = newValue }
    }

    /// Samples with this text that a lane takes through the network at once.
    ///
    /// - Parameter evaluations: forwards a sample takes at once, two with guidance.
    package func samplesAtOnce(_ text: EncodedText, for load: LaneLoad, evaluations: Int = 1) -> Int {
        let side = configuration.sampleSize / configuration.patchSize
        return load.samples(tokens: (side * side + text.context.shape[1]) * evaluations)
    }

    package init(_ configuration: TransformerConfiguration, from source: some ParameterSource)
        throws(ModelError)
    {
        trunk = try TransformerTrunk(configuration, depth: configuration.layerCount, from: source)
        let width = configuration.width
        outputModulation = try source.linear("norm_out.linear", inputs: width, outputs: 2 * width)
        projection = try source.linear(
            "proj_out",
            inputs: width,
            outputs: configuration.patchSize * configuration.patchSize * configuration.outChannels
        )
    }

    /// - Parameters:
    ///   - latents: `[samples, channels, height, width]`.
    ///   - sigmas: noise levels in `0 ... 1`, one a sample.
    /// - Returns: velocities dz/dσ of the shape of `latents`.
    package func callAsFunction(
        latents: Variable,
        text: TextCondition,
        sigmas: [Float],
        on tape: Tape
    ) -> Variable {
        self(latents: latents, text: text, times: sigmas.map { 1000 * $0 }, on: tape)
    }

    /// As above.
    ///
    /// - Parameter times: 1000 σ, which diffusers calls `timestep`.
    package func callAsFunction(
        latents: Variable,
        text: TextCondition,
        times: [Float],
        on tape: Tape
    ) -> Variable {
        let output = trunk(latents: latents, text: text, times: times, on: tape)
        // AdaLayerNormContinuous: the scale is the first chunk, the shift the second.
        let m = Modulation(outputModulation(output.condition, on: tape), width: configuration.width)
        let tokens = projection(tape.layerNorm(output.tokens, modulation: m, shift: 1, scale: 0), on: tape)
        let shape = [latents.shape[0], configuration.outChannels, latents.shape[2], latents.shape[3]]
        return tape.unpatchify(tokens, patch: configuration.patchSize, to: shape)
    }
}
