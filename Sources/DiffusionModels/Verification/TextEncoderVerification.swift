import Checkpoints
package import Tensors

/// A text encoder, CLIP's or T5's, against a reference.
package enum TextEncoderVerification {
    /// - Parameters:
    ///   - component: one of the three text encoders.
    ///   - folder: the component's, `config.json` beside its weights.
    ///   - reference: `input_ids` `[B, T]` to `expected.penultimate_hidden_state` and `expected.text_embeds` (CLIP)
    ///     or to `expected.last_hidden_state` (T5).
    package static func compare(
        _ component: ModelComponent,
        folder: String,
        with reference: ReferenceFile,
        tape: Tape
    ) throws -> [TensorComparison] {
        let outputs: [(name: String, value: Tensor)]
        if component == .textEncoder3 {
            let names = ["last_hidden_state"]
            let wanted = try reference.outputs(of: component, givenBy: names)
            let encoder = try T5TextEncoder(folder: folder)
            let tokens = try tokens(of: reference, below: encoder.configuration.vocabularySize, longest: nil)
            outputs = zip(names, [try encoder(tokens, on: tape)]).filter { wanted.contains($0.0) }
        } else {
            let names = ["penultimate_hidden_state", "text_embeds"]
            let wanted = try reference.outputs(of: component, givenBy: names)
            let encoder = try CLIPTextEncoder(folder: folder)
            let configuration = encoder.configuration
            let tokens = try tokens(
                of: reference,
                below: configuration.vocabularySize,
                longest: configuration.positionCount
            )
            let output = try encoder(tokens, on: tape)
            outputs = zip(names, [output.penultimate, output.embeddings]).filter { wanted.contains($0.0) }
        }
        return try outputs.map { try reference.comparison($0.name, with: $0.value) }
    }

    private static func tokens(
        of reference: ReferenceFile,
        below size: Int,
        longest: Int?
    ) throws -> [[Int]] {
        let name = "input_ids"
        let shape = try reference.file.shape(of: name)
        guard shape.count == 2, shape.allSatisfy({ $0 > 0 }) else {
            throw ModelError.badFile(
                path: reference.path,
                reason: "\(name) has shape \(shape), expected [prompts, tokens]"
            )
        }
        if let longest, shape[1] > longest {
            throw ModelError.badFile(
                path: reference.path,
                reason: "\(name) has rows of \(shape[1]) tokens, expected at most \(longest)"
            )
        }
        let ids = try reference.file.integers(named: name)
        if let outside = ids.first(where: { !(0..<size).contains($0) }) {
            throw ModelError.badFile(
                path: reference.path,
                reason: "\(name) holds \(outside), expected ids in 0 ..< \(size)"
            )
        }
        return stride(from: 0, to: ids.count, by: shape[1]).map { Array(ids[$0..<$0 + shape[1]]) }
    }
}
