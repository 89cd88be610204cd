package import NeuralNetwork
package import Tensors

/// Judges states of trajectories: the teacher's first blocks, all trained, and one head after the last
/// (FlowSteer §3.2).
///
/// It begins as the teacher with a head whose last map is zero, so every logit is 0 and the hinge loss is 2.
package struct TrajectoryDiscriminator: Sendable {
    private var trunk: TransformerTrunk
    private let head: DiscriminatorHead
    /// All of its parameters, the teacher's blocks and the head's.
    package let parameters: ParameterSet

    /// As ``VelocityTransformer/recomputesBlocks``.
    package var recomputesBlocks: Bool {
        get { trunk.recomputesBlocks }
        set { trunk.recomputesBlocks = newValue }
    }

    /// - Parameters:
    ///   - teacher: weights to start from.
    ///   - depth: blocks taken over from the teacher.
    ///   - id: number of the new parameter set.
    ///   - seed: for the head's first map.
    package init(
        teacher: Weights,
        _ configuration: TransformerConfiguration,
        depth: Int,
        id: Int,
        seed: UInt64
    ) throws(ModelError) {
        let headLayout = DiscriminatorHead.layout(width: configuration.width)
        var tensors = teacher.tensors
        for (index, (name, shape)) in headLayout.enumerated() {
            tensors[name] = DiscriminatorHead.initial(name, shape: shape, seed: seed, stream: UInt64(index))
        }
        let weights = TrainedWeights(
            base: Weights(origin: teacher.origin, tensors: tensors),
            id: id,
            isTrained: { Self.isUsed($0, depth: depth) }
        )
        trunk = try TransformerTrunk(configuration, depth: depth, from: weights)
        head = try DiscriminatorHead(width: configuration.width, from: weights)
        parameters = weights.set
    }

    /// What the discriminator makes of states.
    package struct Output {
        /// One logit a token, `[samples, tokens]`.
        package let logits: Variable
        /// Picture tokens after every block, for feature matching.
        package let features: [Variable]
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
        return Output(logits: head(output.tokens, extent: extent, on: tape), features: output.features)
    }

    /// Numbers in the parameters of a discriminator, told from the shapes of the teacher's tensors.
    package static func parameterCount(
        teacher shapes: [String: [Int]],
        _ configuration: TransformerConfiguration,
        depth: Int
    ) -> Int {
        let head = DiscriminatorHead.layout(width: configuration.width).map(\.shape)
        let trunk = shapes.filter { isUsed($0.key, depth: depth) }.map(\.value)
        return (head + trunk).reduce(0) { $0 + $1.reduce(1, *) }
    }

    /// True for the weights that a trunk of this depth reads and trains: nobody reads the text after its last
    /// block, and the position table stays as it is.
    private static func isUsed(_ name: String, depth: Int) -> Bool {
        if name.hasPrefix(DiscriminatorHead.prefix) { return true }
        if name == "pos_embed.pos_embed" || name.hasPrefix("norm_out.") || name.hasPrefix("proj_out.") {
            return false
        }
        let path = name.split(separator: ".")
        guard path.first == "transformer_blocks", path.count > 2, let index = Int(path[1]) else {
            return true
        }
        guard index == depth - 1 else { return index < depth }
        let isOfUnreadText =
            path[2] == "ff_context"
            || ["add_q_proj", "to_add_out", "norm_added_q"].contains(String(path[3]))
        return !isOfUnreadText
    }
}
