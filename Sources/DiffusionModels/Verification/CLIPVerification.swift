import Checkpoints
package import Tensors

/// A CLIP text encoder against a reference.
package enum CLIPVerification {
    /// - Parameters:
    ///   - component: one of the two CLIP encoders.
    ///   - folder: the component's, `config.json` beside its weights.
    ///   - reference: `input_ids` `[B, T]` to `expected.penultimate_hidden_state` and `expected.text_embeds`.
    package static func compare(
        _ component: ModelComponent,
        folder: String,
        with reference: ReferenceFile,
        pool: LanePool
    ) throws -> [TensorComparison] {
        let encoder = try CLIPTextEncoder(folder: folder)
        let wanted = try reference.outputs(
            of: component,
            givenBy: ["penultimate_hidden_state", "text_embeds"]
        )
        let name = "input_ids"
        let shape = try reference.file.shape(of: name)
        let ids = try reference.file.integers(named: name)
        let configuration = encoder.configuration
        guard shape.count == 2, shape[1] >= 1, shape[1] <= configuration.positionCount,
            ids.allSatisfy((0..<configuration.vocabularySize).contains)
        else {
            throw ModelError.badFile(
                path: reference.path,
                reason:
                    "\(name) has shape \(shape), expected rows of up to \(configuration.positionCount) ids "
                    + "below \(configuration.vocabularySize)"
            )
        }
        let rows = stride(from: 0, to: ids.count, by: shape[1]).map { Array(ids[$0..<$0 + shape[1]]) }
        var results: [TensorComparison] = []
        var failure: (any Error)?
        pool.forEachShare(of: 1) { lane, _ in
            lane.tape.reset()
            defer { lane.tape.reset() }
            let output = encoder(rows, on: lane.tape)
            do {
                for (name, value) in [
                    ("penultimate_hidden_state", output.penultimate), ("text_embeds", output.embeddings),
                ] where wanted.contains(name) {
                    results.append(try reference.comparison(name, with: value.value))
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return results
    }
}
