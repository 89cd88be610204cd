import NeuralNetwork
import Tensors

/// What stands before the layers of a CLIP text encoder: the tokens' features and their places'.
struct CLIPTextEmbedding: Sendable {
    private let tokens: Parameter
    private let places: Parameter

    static let tokensName = "text_model.embeddings.token_embedding.weight"
    static let placesName = "text_model.embeddings.position_embedding.weight"

    init(_ configuration: CLIPTextConfiguration, from source: some ParameterSource) throws(ModelError) {
        let width = configuration.width
        tokens = try source.parameter(Self.tokensName, shape: [configuration.vocabularySize, width])
        places = try source.parameter(Self.placesName, shape: [configuration.positionCount, width])
    }

    /// - Parameter rows: of equal length, ids in `0 ..< vocabularySize`.
    /// - Returns: `[prompts, tokens, width]`.
    func callAsFunction(_ rows: [[Int]], on tape: Tape) -> Variable {
        let length = rows.first?.count ?? 0
        let embedded = tape.gather(tape.parameter(tokens), rows.flatMap(\.self))
        let positions = tape.gather(tape.parameter(places), rows.flatMap { _ in Array(0..<length) })
        return tape.reshape(
            tape.add(embedded, positions),
            [rows.count, length, embedded.shape[1]]
        )
    }
}

/// What stands behind them: the end token's features, normalized and projected.
struct CLIPTextHead: Sendable {
    private let configuration: CLIPTextConfiguration
    private let norm: (weight: Parameter, bias: Parameter)
    private let projection: Linear

    init(_ configuration: CLIPTextConfiguration, from source: some ParameterSource) throws(ModelError) {
        self.configuration = configuration
        let name = "text_model.final_layer_norm"
        let width = configuration.width
        norm = (
            try source.parameter(name + ".weight", shape: [width]),
            try source.parameter(name + ".bias", shape: [width])
        )
        projection = try source.linear(
            "text_projection",
            inputs: width,
            outputs: configuration.projectionWidth,
            bias: false
        )
    }

    /// - Parameters:
    ///   - x: the last layer's output, `[prompts, tokens, width]`.
    ///   - tokens: the prompts' ids.
    /// - Returns: `[prompts, projection width]`.
    func callAsFunction(_ x: Variable, tokens: [[Int]], on tape: Tape) -> Variable {
        let rows = tokens.enumerated().map { $0 * x.shape[1] + configuration.endPosition(of: $1) }
        let flat = tape.reshape(x, [x.shape[0] * x.shape[1], x.shape[2]])
        let ends = tape.layerNorm(
            tape.gather(flat, rows),
            weight: norm.weight,
            bias: norm.bias,
            epsilon: configuration.normEpsilon
        )
        return projection(ends, on: tape)
    }
}

extension CLIPTextConfiguration {
    fileprivate func endPosition(of tokens: [Int]) -> Int {
        if poolsAtLargestToken {
            let largest = tokens.max() ?? 0
            return tokens.firstIndex(of: largest) ?? 0
        }
        return tokens.firstIndex(of: endToken) ?? 0
    }
}
