import Checkpoints
import Foundation
import Tensors

/// Compares a model folder's text encoders and tokenizers with what transformers makes of the same folder.
package enum TextVerification {
    /// How far a tensor is from its reference.
    package struct TensorError: Sendable, Equatable {
        /// The reference's name without `expected.`.
        package let name: String
        /// max |x − expected|.
        package let largestAbsolute: Float
        /// max |x − expected| / max |expected|.
        package let largestRelative: Float

        init(name: String, found: Tensor, expected: Tensor) {
            self.name = name
            let difference = found.largestAbsoluteDifference(to: expected)
            // The difference of something that is no number is none either.
            largestAbsolute = found.isFinite ? difference : .infinity
            let scale = expected.largestAbsoluteDifference(to: .zeros(expected.shape))
            largestRelative = largestAbsolute == 0 ? 0 : largestAbsolute / scale
        }
    }

    /// How a tokenizer compares with its reference.
    package struct TokenComparison: Sendable, Equatable {
        package struct Difference: Sendable, Equatable {
            /// Counted from 1.
            package let line: Int
            package let text: String
            package let expected: [Int]
            package let found: [Int]
        }

        /// Lines compared.
        package var lineCount = 0
        /// Lines of which a token differs.
        package var differentCount = 0
        /// The first of them.
        package var first: Difference?
    }

    /// Runs a text encoder on the reference's `input_ids` and compares what comes out.
    ///
    /// - Parameters:
    ///   - folder: a model folder of diffusers.
    ///   - component: `text_encoder`, `text_encoder_2` (CLIP: `expected.penultimate_hidden_state`,
    ///     `expected.text_embeds`) or `text_encoder_3` (T5: `expected.last_hidden_state`).
    ///   - reference: a safetensors file of `input_ids` `[prompts, tokens]` and at least one of those.
    package static func encoder(
        folder: String,
        component: String,
        reference path: String
    ) throws -> [TensorError] {
        let reference = try SafetensorsFile(path: path)
        let tokens = try tokens(of: reference)
        let tape = Tape()
        let outputs: [(name: String, value: Tensor)]
        if component == "text_encoder_3" {
            let encoder = try T5TextEncoder(folder: "\(folder)/\(component)")
            try check(tokens, below: encoder.configuration.vocabularySize, longest: nil, path)
            outputs = [("last_hidden_state", try encoder(tokens, on: tape))]
        } else {
            let encoder = try CLIPTextEncoder(folder: "\(folder)/\(component)")
            let configuration = encoder.configuration
            try check(tokens, below: configuration.vocabularySize, longest: configuration.positionCount, path)
            let output = try encoder(tokens, on: tape)
            outputs = [("penultimate_hidden_state", output.penultimate), ("text_embeds", output.embeddings)]
        }
        let errors = try outputs.compactMap { name, value -> TensorError? in
            let key = "expected.\(name)"
            guard reference.contains(key) else { return nil }
            return TensorError(
                name: name,
                found: value,
                expected: try reference.tensor(named: key, shape: value.shape)
            )
        }
        guard !errors.isEmpty else {
            let names = outputs.map { "expected.\($0.name)" }.joined(separator: " nor ")
            throw ModelError.badFile(path: path, reason: "has neither \(names)")
        }
        return errors
    }

    /// Compares the tokens of every line with the reference's.
    ///
    /// - Parameters:
    ///   - component: `tokenizer`, `tokenizer_2` (CLIP) or `tokenizer_3` (T5).
    ///   - reference: JSON lines of `{"text": …, "input_ids": […]}`, special tokens included, nothing padded or cut.
    package static func tokenizer(
        folder: String,
        component: String,
        reference path: String
    ) throws -> TokenComparison {
        let encode: (String) -> [Int]
        if component == "tokenizer_3" {
            let tokenizer = try T5Tokenizer(folder: "\(folder)/\(component)")
            encode = { tokenizer.encode($0) }
        } else {
            let tokenizer = try CLIPTokenizer(folder: "\(folder)/\(component)")
            encode = { tokenizer.encode($0) }
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ModelError.missingFile(path: path, purpose: "the reference's lines are there")
        }
        var comparison = TokenComparison()
        let decoder = JSONDecoder()
        for (index, line) in data.split(separator: UInt8(ascii: "\n")).enumerated() {
            let expected: ReferenceLine
            do {
                expected = try decoder.decode(ReferenceLine.self, from: line)
            } catch {
                let reason = "line \(index + 1) is no {\"text\": …, \"input_ids\": […]}"
                throw ModelError.badFile(path: path, reason: reason)
            }
            comparison.lineCount += 1
            let found = encode(expected.text)
            guard found != expected.input_ids else { continue }
            comparison.differentCount += 1
            comparison.first =
                comparison.first
                ?? TokenComparison.Difference(
                    line: index + 1,
                    text: expected.text,
                    expected: expected.input_ids,
                    found: found
                )
        }
        guard comparison.lineCount > 0 else { throw ModelError.badFile(path: path, reason: "has no lines") }
        return comparison
    }

    private struct ReferenceLine: Decodable {
        let text: String
        let input_ids: [Int]
    }

    private static func tokens(of reference: SafetensorsFile) throws -> [[Int]] {
        let name = "input_ids"
        let shape = try reference.shape(of: name)
        guard shape.count == 2, shape.allSatisfy({ $0 > 0 }) else {
            throw ModelError.wrongShape(name: name, file: reference.path, expected: [1, 77], found: shape)
        }
        let ids = try reference.integers(named: name)
        return stride(from: 0, to: ids.count, by: shape[1]).map { Array(ids[$0..<$0 + shape[1]]) }
    }

    private static func check(
        _ tokens: [[Int]],
        below size: Int,
        longest: Int?,
        _ path: String
    ) throws(ModelError) {
        if let longest, tokens[0].count > longest {
            throw .badFile(path: path, reason: "input_ids: \(tokens[0].count) tokens, at most \(longest)")
        }
        if let outside = tokens.joined().first(where: { !(0..<size).contains($0) }) {
            throw .badFile(path: path, reason: "input_ids: \(outside) is not in 0 ..< \(size)")
        }
    }
}
