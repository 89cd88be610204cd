import NeuralNetwork
import Tensors

/// Pictures to tokens: a convolution whose stride is its kernel, plus a table of positions cropped around its
/// centre (diffusers' `PatchEmbed` with `pos_embed_max_size`).
struct PatchEmbedding: Sendable {
    let patchSize: Int
    private let projection: Linear
    /// `[size · size, width]`.
    private let table: StoredTensor
    private let tableSize: Int

    init(_ configuration: TransformerConfiguration, from source: some ParameterSource) throws(ModelError) {
        patchSize = configuration.patchSize
        tableSize = configuration.positionTableSize
        let patch = [configuration.inChannels, configuration.patchSize, configuration.patchSize]
        projection = Linear(
            weight: try source.parameter("pos_embed.proj.weight", shape: [configuration.width] + patch),
            bias: try source.parameter("pos_embed.proj.bias", shape: [configuration.width])
        )
        let positions = [1, tableSize * tableSize, configuration.width]
        table = try source.table("pos_embed.pos_embed", shape: positions)
            .reshaped([tableSize * tableSize, configuration.width])
    }

    /// - Parameter latents: `[samples, channels, height, width]`, multiples of the patch size.
    /// - Returns: `[samples, tokens, width]`.
    func callAsFunction(_ latents: Variable, on tape: Tape) -> Variable {
        let rows = latents.shape[2] / patchSize
        let columns = latents.shape[3] / patchSize
        let tokens = projection(tape.patchify(latents, patch: patchSize), on: tape)
        return tape.addRows(tokens, table: positions(rows: rows, columns: columns))
    }

    /// The centre of the table, `[rows · columns, width]`.
    private func positions(rows: Int, columns: Int) -> Tensor {
        precondition(
            rows <= tableSize && columns <= tableSize,
            "\(rows) × \(columns) tokens in a position table of \(tableSize) × \(tableSize)"
        )
        guard rows != tableSize || columns != tableSize else { return table.floats }
        let top = (tableSize - rows) / 2
        let left = (tableSize - columns) / 2
        return .concatenated(
            (0..<rows).map { row in
                let start = (top + row) * tableSize + left
                return table.rows(start..<start + columns).floats
            }
        )
    }
}
