import NeuralNetwork
import Tensors

/// The vector that modulates every block: noise level and pooled text, each through two linear maps, added
/// (diffusers' `CombinedTimestepTextProjEmbeddings`).
struct ConditionEmbedding: Sendable {
    private static let sinusoidWidth = 256
    private let time: (Linear, Linear)
    private let text: (Linear, Linear)

    init(_ configuration: TransformerConfiguration, from source: some ParameterSource) throws(ModelError) {
        let width = configuration.width
        let name = "time_text_embed."
        time = (
            try source.linear(
                name + "timestep_embedder.linear_1",
                inputs: Self.sinusoidWidth,
                outputs: width
            ),
            try source.linear(name + "timestep_embedder.linear_2", inputs: width, outputs: width)
        )
        text = (
            try source.linear(
                name + "text_embedder.linear_1",
                inputs: configuration.pooledProjectionWidth,
                outputs: width
            ),
            try source.linear(name + "text_embedder.linear_2", inputs: width, outputs: width)
        )
    }

    /// - Parameters:
    ///   - times: 1000 σ, one a sample.
    ///   - pooled: `[samples, pooled width]`.
    /// - Returns: `[samples, width]`, after the SiLU that every modulation begins with.
    func callAsFunction(times: [Float], pooled: Variable, on tape: Tape) -> Variable {
        let sinusoids = Variable(constant: .timeEmbedding(times, width: Self.sinusoidWidth))
        let t = time.1(tape.activation(.silu, time.0(sinusoids, on: tape)), on: tape)
        let p = text.1(tape.activation(.silu, text.0(pooled, on: tape)), on: tape)
        return tape.activation(.silu, tape.add(t, p))
    }
}
