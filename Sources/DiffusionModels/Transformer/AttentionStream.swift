import NeuralNetwork
import Tensors

/// One stream's part in an attention: its queries, keys and values, and the map that follows.
struct AttentionStream: Sendable {
    /// The names of a stream's maps in a diffusers block.
    struct Names {
        let query: String
        let key: String
        let value: String
        let output: String
        let queryNorm: String
        let keyNorm: String

        /// The picture's tokens.
        static let picture = Names(
            query: "to_q",
            key: "to_k",
            value: "to_v",
            output: "to_out.0",
            queryNorm: "norm_q",
            keyNorm: "norm_k"
        )
        /// The text's tokens.
        static let text = Names(
            query: "add_q_proj",
            key: "add_k_proj",
            value: "add_v_proj",
            output: "to_add_out",
            queryNorm: "norm_added_q",
            keyNorm: "norm_added_k"
        )
    }

    /// nil where nothing reads the stream after this block.
    private let query: Linear?
    private let key: Linear
    private let value: Linear
    private let output: Linear?
    private let queryNorm: Parameter?
    private let keyNorm: Parameter?

    /// - Parameter isRead: false for the text in a last block, whose queries and output nobody reads.
    init(
        _ prefix: String,
        _ names: Names,
        _ configuration: TransformerConfiguration,
        isRead: Bool,
        from source: some ParameterSource
    ) throws(ModelError) {
        let width = configuration.width
        let head = [configuration.headWidth]
        let norms = configuration.normalizesQueriesAndKeys
        query = isRead ? try source.linear(prefix + names.query, inputs: width, outputs: width) : nil
        key = try source.linear(prefix + names.key, inputs: width, outputs: width)
        value = try source.linear(prefix + names.value, inputs: width, outputs: width)
        output = isRead ? try source.linear(prefix + names.output, inputs: width, outputs: width) : nil
        queryNorm =
            isRead && norms ? try source.parameter(prefix + names.queryNorm + ".weight", shape: head) : nil
        keyNorm = norms ? try source.parameter(prefix + names.keyNorm + ".weight", shape: head) : nil
    }

    /// Of its maps' products.
    var precision: Precision { key.weight.precision }

    /// What a stream brings to an attention, before its norms; each `[samples, tokens, width]`.
    struct Projections {
        let query: Variable?
        let key: Variable
        let value: Variable
    }

    /// Whether what it projects may be rounded to bfloat16.
    func readsRounded(on tape: Tape) -> Bool {
        [query, key, value].allSatisfy { $0?.readsRounded(on: tape) ?? true }
    }

    /// `x` is not read again, except on the way back.
    func project(_ x: MapInput, on tape: Tape) -> Projections {
        Projections(
            query: query.map { $0(x, on: tape) },
            key: key(x, on: tape),
            value: value(x, consuming: !tape.isRecording, on: tape)
        )
    }

    /// Of what it projects.
    var norms: HeadNorms { HeadNorms(query: queryNorm, key: keyNorm) }

    /// Whether what ``finish(_:on:)`` is given may be rounded to bfloat16.
    func finishesRounded(on tape: Tape) -> Bool { output?.readsRounded(on: tape) ?? true }

    /// The map after the attention, whose result is not read again, except on the attention's way back.
    func finish(_ attended: MapInput, on tape: Tape) -> Branch {
        guard let output else { preconditionFailure("nobody reads this stream after its attention") }
        return output.branch(attended, consuming: !tape.isRecording, on: tape)
    }
}
