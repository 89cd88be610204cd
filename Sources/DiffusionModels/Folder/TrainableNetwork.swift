import NeuralNetwork
package import Tensors

/// A ``TrainableModel``'s networks over one source of parameters, from prompts' tokens to velocities.
package struct TrainableNetwork: Sendable {
    private let transformer: VelocityTransformer
    private let encoders: [CLIPTextNetwork]

    /// - Parameter source: names parameters as ``TrainableModel`` does.
    package init(_ model: TrainableModel, from source: some ParameterSource) throws(ModelError) {
        transformer = try VelocityTransformer(
            model.outline.configuration,
            from: ComponentSource(.transformer, of: source)
        )
        var encoders: [CLIPTextNetwork] = []
        for (component, configuration) in zip(TrainableModel.encoders, model.clip) {
            encoders.append(try CLIPTextNetwork(configuration, from: ComponentSource(component, of: source)))
        }
        self.encoders = encoders
    }

    /// - Parameters:
    ///   - latents: `[samples, channels, height, width]`.
    ///   - prompts: one a sample.
    ///   - sigmas: noise levels in `0 ... 1`, one a sample.
    /// - Returns: velocities dz/dσ of the shape of `latents`.
    package func callAsFunction(
        latents: Variable,
        prompts: TokenizedPrompts,
        sigmas: [Float],
        on tape: Tape
    ) -> Variable {
        transformer(latents: latents, text: encode(prompts, on: tape), sigmas: sigmas, on: tape)
    }

    /// Prompts as the transformer reads them: the encoders' states side by side, and so their projections.
    package func encode(_ prompts: TokenizedPrompts, on tape: Tape) -> TextCondition {
        let outputs = zip(encoders, prompts.rows).map { encoder, tokens in encoder(tokens, on: tape) }
        return TextCondition(
            context: tape.joinColumns(outputs.map(\.penultimate)),
            pooled: tape.joinColumns(outputs.map(\.embeddings))
        )
    }
}

/// The parameters of one component of a model whose names begin with the component's.
private struct ComponentSource<Source: ParameterSource>: ParameterSource {
    private let prefix: String
    private let source: Source

    init(_ component: ModelComponent, of source: Source) {
        prefix = component.rawValue + "/"
        self.source = source
    }

    func parameter(_ name: String, shape: [Int]) throws(ModelError) -> Parameter {
        try source.parameter(prefix + name, shape: shape)
    }

    func table(_ name: String, shape: [Int]) throws(ModelError) -> StoredTensor {
        try source.table(prefix + name, shape: shape)
    }
}
