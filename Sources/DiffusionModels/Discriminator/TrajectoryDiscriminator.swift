package import NeuralNetwork
package import Tensors

/// Judges states of trajectories: the teacher's first blocks, and a head after the last or after every one
/// (FlowSteer §3.2; heads after every frozen block are LADD's and PCM's).
///
/// It begins as the teacher with heads whose last maps are zero, so every logit is 0 and the hinge loss is 2.
package struct TrajectoryDiscriminator: Sendable {
    private var trunk: TransformerTrunk
    private let heads: [DiscriminatorHead]
    /// All that is trained: the heads' parameters, and the blocks' or their adapters where these are.
    package let parameters: ParameterSet

    /// As ``VelocityTransformer/recomputesBlocks``.
    package var recomputesBlocks: Bool {
        get { trunk.recomputesBlocks }
        set { trunk.recomputesBlocks = newValue }
    }

    /// - Parameters:
    ///   - teacher: weights to start from.
    ///   - shape: of no more blocks than the teacher has.
    ///   - id: number of the new parameter set.
    ///   - seed: for the heads' first maps.
    package init(
        teacher: Weights,
        _ configuration: TransformerConfiguration,
        _ shape: DiscriminatorShape,
        id: Int,
        seed: UInt64
    ) throws(ModelError) {
        let prefixes = shape.headPrefixes
        let width = configuration.width
        let weights = DiscriminatorWeights(
            teacher,
            shape,
            heads: prefixes.flatMap { DiscriminatorHead.layout($0, width: width) },
            id: id,
            seed: seed
        )
        trunk = try TransformerTrunk(configuration, depth: shape.depth, from: weights)
        var heads: [DiscriminatorHead] = []
        for prefix in prefixes { heads.append(try DiscriminatorHead(prefix, width: width, from: weights)) }
        self.heads = heads
        parameters = weights.set
    }

    /// What the discriminator makes of states.
    package struct Output {
        /// One logit a token and head, `[samples, tokens]` each.
        package let logits: [Variable]
        /// Picture tokens after every block, for feature matching.
        package let features: [Variable]

        package init(logits: [Variable], features: [Variable]) {
            self.logits = logits
            self.features = features
        }
    }

    /// - Parameters:
    ///   - states: `[samples, channels, height, width]` at noise levels `sigmas`.
    package func callAsFunction(
        states: Variable,
        text: TextCondition,
        sigmas: [Float],
        on tape: Tape
    ) -> Output {
        let times = sigmas.map { 1000 * $0 }
        let output = trunk(latents: states, text: text, times: times, keepsFeatures: true, on: tape)
        let patch = trunk.configuration.patchSize
        let extent = (states.shape[2] / patch, states.shape[3] / patch)
        let judged = heads.count == 1 ? [output.tokens] : output.features
        return Output(
            logits: zip(heads, judged).map { head, tokens in head(tokens, extent: extent, on: tape) },
            features: output.features
        )
    }

    /// Brings every parameter of the heads into `-limit ... limit` (Arjovsky and others 2017, algorithm 1).
    package func clipHeads(to limit: Float) {
        for (name, tensor) in parameters.tensors where name.hasPrefix(DiscriminatorHead.prefix) {
            tensor.clip(to: limit)
        }
    }
}
