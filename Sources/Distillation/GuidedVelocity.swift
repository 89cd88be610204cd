package import DiffusionModels
package import FlowMatching
package import Tensors

/// A network's velocity with classifier-free guidance, both halves in one forward.
package struct GuidedVelocity: VelocityField {
    private let network: VelocityTransformer
    private let guidance: Guidance
    private let text: TextCondition
    private let tape: Tape

    /// - Parameters:
    ///   - conditional: encoded prompts, one a sample.
    ///   - unconditional: the encoded negative prompt.
    ///   - tape: computes the forwards; it is reset at every one.
    package init(
        _ network: VelocityTransformer,
        guidance: Guidance,
        conditional: EncodedText,
        unconditional: EncodedText,
        tape: Tape
    ) {
        self.network = network
        self.guidance = guidance
        self.tape = tape
        text = TextCondition(
            guidance.needsUnconditional
                ? unconditional.repeated(conditional.count).appending(conditional) : conditional
        )
    }

    package func velocity(of latents: Tensor, at sigma: Float) -> Tensor {
        tape.reset()
        let batch = guidance.batch(latents)
        let sigmas = [Float](repeating: sigma, count: batch.shape[0])
        let velocity = network(latents: Variable(constant: batch), text: text, sigmas: sigmas, on: tape)
        // Out of the tape's memory, which the next forward uses again.
        let guided = guidance.combine(velocity.value)
        return guidance.needsUnconditional ? guided : guided.copied()
    }
}
