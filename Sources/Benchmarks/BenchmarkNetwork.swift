package import DiffusionModels
package import Tensors

/// The network or the block of a shape.
package struct BenchmarkNetwork: Sendable {
    private enum Kind: Sendable {
        case network(VelocityTransformer)
        case block(JointBlock)
    }

    private let kind: Kind

    /// Takes every parameter from `source`.
    ///
    /// - Parameter recomputesBlocks: gradient checkpointing, of a network's blocks.
    package init(
        _ shape: BenchmarkShape,
        from source: some ParameterSource,
        recomputesBlocks: Bool = false
    ) throws(ModelError) {
        switch shape.scope {
        case .network:
            var network = try VelocityTransformer(shape.configuration, from: source)
            network.recomputesBlocks = recomputesBlocks
            kind = .network(network)
        case .block:
            kind = .block(
                try JointBlock(index: 0, isTextRead: true, shape.configuration, from: source)
            )
        }
    }

    /// Velocities, or the block's picture and text tokens; the inputs stay untouched.
    package func outputs(_ inputs: BenchmarkInputs, on tape: Tape) -> [Variable] {
        switch kind {
        case .network(let network):
            return [
                network(
                    latents: Variable(constant: inputs.picture),
                    text: TextCondition(inputs.text),
                    sigmas: inputs.sigmas,
                    on: tape
                )
            ]
        case .block(let block):
            // Without a recording a block writes over its tokens.
            let isCopied = !tape.isRecording
            var x = Variable(constant: isCopied ? inputs.picture.copied() : inputs.picture)
            var c = Variable(constant: isCopied ? inputs.text.context.copied() : inputs.text.context)
            block(&x, &c, condition: Variable(constant: inputs.text.pooled), on: tape)
            return [x, c]
        }
    }

    /// Σ over outputs of the mean squared distance to their targets.
    ///
    /// - Parameter batchCount: samples of the whole batch, over which the loss is a mean.
    package func loss(_ inputs: BenchmarkInputs, batchCount: Int, on tape: Tape) -> Variable {
        tape.weightedSum(
            zip(outputs(inputs, on: tape), inputs.targets).map { output, target in
                let elements = target.count / target.shape[0] * batchCount
                return (1, tape.squaredError(output, target: target, scale: 1 / Float(elements)))
            }
        )
    }
}
