import Checkpoints
import NeuralNetwork
import Tensors

/// A model folder whose networks are all trained: the transformer and both CLIP text encoders.
///
/// Parameters of all three are in one set, named `transformer/proj_out.weight`, `text_encoder/…`, `text_encoder_2/…`.
package struct TrainableModel: Sendable {
    /// The components with weights that are trained, by the names of their folders.
    static let components: [ModelComponent] = [.transformer, .textEncoder, .textEncoder2]
    static let encoders: [ModelComponent] = [.textEncoder, .textEncoder2]

    package let outline: ModelOutline
    /// Of both encoders.
    let clip: [CLIPTextConfiguration]
    private let tokenizers: [CLIPTokenizer]
    /// Tokens of a prompt, the same for both encoders.
    private let length: Int

    /// Reads a folder's settings and tokenizers, but no weights.
    ///
    /// - Throws: a ``ModelError`` that names what cannot be trained: T5, and rows of zeros in its place or in that of
    ///   features that the CLIP encoders do not have.
    package init(path: String) throws {
        let index = try ModelOutline.index(of: path)
        outline = try ModelOutline(path: path, index: index)
        guard !outline.hasT5 else {
            throw ModelError.unsupported(
                path: index.path,
                field: "text_encoder_3",
                value: "present",
                expected: "none: T5 is not trained"
            )
        }
        let text = try TextPipeline(folder: path, index: index, transformer: outline.configuration)
        guard text.t5Length == 0 else {
            throw ModelError.unsupported(
                path: index.path,
                field: "max_sequence_length",
                value: index.isPresent("max_sequence_length") ? "\(text.t5Length)" : "absent",
                expected: "0, as there is no T5 whose tokens it counts"
            )
        }
        length = text.tokenCount
        clip = try Self.encoders.map { try CLIPTextConfiguration(folder: $0.folder(in: path)) }
        let width = clip.reduce(0) { $0 + $1.width }
        guard outline.configuration.jointAttentionWidth == width else {
            throw ModelError.unsupported(
                path: "\(path)/transformer/config.json",
                field: "joint_attention_dim",
                value: "\(outline.configuration.jointAttentionWidth)",
                expected: "\(width), the width of both CLIP encoders together"
            )
        }
        tokenizers = try [ModelComponent.tokenizer, .tokenizer2].map {
            try CLIPTokenizer(folder: $0.folder(in: path))
        }
        for (component, (tokenizer, encoder)) in zip(Self.encoders, zip(tokenizers, clip))
        where tokenizer.vocabularySize > encoder.vocabularySize {
            throw ModelError.unsupported(
                path: "\(component.folder(in: path))/config.json",
                field: "vocab_size",
                value: "\(encoder.vocabularySize)",
                expected: "at least \(tokenizer.vocabularySize), the tokens of its tokenizer"
            )
        }
    }

    /// The tokens that both encoders read of prompts.
    package func tokens(of prompts: [String]) -> TokenizedPrompts {
        TokenizedPrompts(
            rows: tokenizers.map { tokenizer in prompts.map { tokenizer.encode($0, length: length) } }
        )
    }

    /// Tokens that a sample of the extent that the model is trained on brings to the joint attention.
    package var jointTokens: Int {
        let side = outline.configuration.sampleSize / outline.configuration.patchSize
        return side * side + length
    }
}

/// Prompts as the tokens of both encoders.
package struct TokenizedPrompts: Sendable {
    /// By encoder, prompt and place.
    let rows: [[[Int]]]

    /// Number of prompts.
    package var count: Int { rows[0].count }

    /// The tokens of a run of prompts.
    package func rows(_ range: Range<Int>) -> TokenizedPrompts {
        TokenizedPrompts(rows: rows.map { Array($0[range]) })
    }

    /// The prompts, with another one, the only one of `substitute`, in the place of those that are chosen.
    package func replacing(_ isChosen: [Bool], with substitute: TokenizedPrompts) -> TokenizedPrompts {
        TokenizedPrompts(
            rows: zip(rows, substitute.rows).map { prompts, others in
                zip(prompts, isChosen).map { $1 ? others[0] : $0 }
            }
        )
    }
}

// MARK: - Weights

extension TrainableModel {
    /// The folder's weights.
    package func readWeights() throws -> Weights {
        var stored: [String: StoredTensor] = [:]
        for component in Self.components {
            let folder = try SafetensorsFolder(path: component.folder(in: outline.path))
            for (name, tensor) in try folder.storedTensors() {
                stored["\(component.rawValue)/\(name)"] = tensor
            }
        }
        return Weights(origin: outline.path, stored: stored)
    }

    /// A set of all parameters that the networks read, starting from their values in `weights`.
    ///
    /// What they do not read stays as it is: the table of positions, and in the last block what only the text's
    /// result would need.
    package func makeParameters(from weights: Weights) throws(ModelError) -> TrainedWeights {
        let names = try inventory().parameters
        return TrainedWeights(base: weights, id: 1) { names[$0] != nil }
    }

    /// Names and shapes of what the networks read.
    func inventory() throws(ModelError) -> ParameterInventory {
        let inventory = ParameterInventory()
        _ = try TrainableNetwork(self, from: inventory)
        return inventory
    }
}

/// Writes down what a network asks for, so that names and shapes stand nowhere else.
final class ParameterInventory: ParameterSource {
    private(set) var parameters: [String: [Int]] = [:]
    private(set) var tables: [String: [Int]] = [:]

    func parameter(_ name: String, shape: [Int]) throws(ModelError) -> Parameter {
        parameters[name] = shape
        return Parameter(frozen: .zeros([0]))
    }

    func table(_ name: String, shape: [Int]) throws(ModelError) -> StoredTensor {
        tables[name] = shape
        return StoredTensor(.zeros(shape))
    }
}
