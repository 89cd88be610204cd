import DiffusionModels
package import Distillation

/// Floating-point operations by formula: those of matrix products, a multiplication and an addition each two.
///
/// Shape letters: `T` tokens, `Tᵢ` of the picture, `T_c` of the text, `D` width. Adapters, norms and other
/// element-wise work are not counted.
extension BenchmarkShape {
    /// One forward of the whole batch.
    package var forwardOperations: Double { Double(batch) * sampleForwardOperations }

    /// One training step of adapters: a forward, gradients towards inputs, and the attention's part of weights'.
    ///
    /// Frozen weights need no gradient, so a step is two forwards and the attention's products once more.
    package var adapterTrainingOperations: Double { 2 * forwardOperations + attentionOperations }

    /// One training step of all weights.
    package var fullTrainingOperations: Double { 3 * forwardOperations }

    /// One distillation step, the discriminator's heads not counted.
    ///
    /// What is learned from costs a training step of adapters, or of all weights; what is asked, a forward. The
    /// discriminator is a forward of the first `depth` blocks for every state; the student's states take gradients
    /// towards their input as well, and all of them the discriminator's own: towards weights and inputs where it is
    /// trained whole, inputs alone where adapters are, none of frozen blocks. Gradient checkpointing computes blocks
    /// once more for each way back.
    package func distillationOperations(
        _ evaluations: StepEvaluations,
        network: NetworkSettings
    ) -> Double {
        let again = network.recomputesBlocks ? 1.0 : 0
        let adapters = adapterTrainingOperations + again * forwardOperations
        let own = network.student == .full ? fullTrainingOperations + again * forwardOperations : adapters
        return evaluations.learned * own + evaluations.learnedVelocity * adapters
            + evaluations.asked * forwardOperations + judgingOperations(evaluations, network)
    }

    private func judgingOperations(_ evaluations: StepEvaluations, _ network: NetworkSettings) -> Double {
        let depth = min(network.discriminator.depth, configuration.layerCount)
        let again = network.recomputesBlocks ? 1.0 : 0
        let forward = blockOperations(count: depth, lastIsCut: true) + embeddingOperations
        let toInput = (1 + again) * forward + sampleAttentionOperations(blocks: depth)
        let own =
            switch network.discriminator.mode {
            case .full: (2 + again) * forward
            case .lora: toInput
            case .frozen: 0.0
            }
        return Double(batch)
            * (evaluations.judged * (forward + own) + evaluations.judgedStudent * toInput)
    }

    /// The attentions' products of one forward of the whole batch: 4 T² D a block and sample, 4 Tᵢ² D of a second one.
    package var attentionOperations: Double {
        Double(batch) * sampleAttentionOperations(blocks: scope == .block ? 1 : configuration.layerCount)
    }

    private func sampleAttentionOperations(blocks: Int) -> Double {
        let joint = Double(tokens * tokens * blocks)
        let second = Double(pictureTokens * pictureTokens * dualCount(blocks: blocks))
        return 4 * (joint + second) * Double(width)
    }

    /// How many of the first so many blocks attend to the picture alone as well.
    private func dualCount(blocks: Int) -> Int {
        configuration.dualAttentionLayers.count { $0 < blocks }
    }

    private var sampleForwardOperations: Double {
        guard scope == .network else { return blockOperations(count: 1, lastIsCut: false) }
        let patch = Double(configuration.patchSize * configuration.patchSize)
        let output = 2 * Double(pictureTokens) * patch * Double(configuration.outChannels) * Double(width)
        let outputModulation = 4 * Double(width) * Double(width)
        return blockOperations(count: configuration.layerCount, lastIsCut: true)
            + embeddingOperations + output + outputModulation
    }

    /// 24 T D² + 4 T² D + 24 D² a block, and 8 Tᵢ D² + 4 Tᵢ² D + 6 D² of a second attention.
    ///
    /// A block after which nobody reads the text lacks 18 T_c D² + 8 D².
    private func blockOperations(count: Int, lastIsCut: Bool) -> Double {
        let d = Double(width)
        let t = Double(tokens)
        let cut = lastIsCut ? 18 * Double(textTokens) * d * d + 8 * d * d : 0
        let second = Double(dualCount(blocks: count)) * (8 * Double(pictureTokens) + 6) * d * d
        return Double(count) * 24 * (t + 1) * d * d + second + sampleAttentionOperations(blocks: count) - cut
    }

    /// Patches, text, noise level and pooled text to width `D`.
    private var embeddingOperations: Double {
        let d = Double(width)
        let patch = Double(configuration.patchSize * configuration.patchSize * configuration.inChannels)
        return 2 * Double(pictureTokens) * patch * d
            + 2 * Double(textTokens) * Double(configuration.jointAttentionWidth) * d
            + 2 * (256 + d + Double(configuration.pooledProjectionWidth) + d) * d
    }
}
