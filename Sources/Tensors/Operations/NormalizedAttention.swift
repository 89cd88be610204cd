/// What a stream's queries and keys are normalised with before they meet, a weight of `[head width]` each; nil: they are
/// taken as they are.
package struct HeadNorms {
    static let epsilon: Float = 1e-6

    let query: Parameter?
    let key: Parameter?

    package init(query: Parameter?, key: Parameter?) {
        self.query = query
        self.key = key
    }
}

extension Tape {
    /// ``attention(queries:keys:values:heads:isCausal:scale:positionBias:precision:consuming:)`` of queries and keys that
    /// ``rmsNorm(_:weight:epsilon:consuming:)`` normalises first, all of them read for the last time.
    ///
    /// - Parameters:
    ///   - norms: one a stream.
    ///   - rounding: all that read the results may read them rounded (``readsRounded(_:)``). Then, of heads whose width is
    ///     a multiple of 32, the norms and the rounding are part of the attention.
    package func attention(
        queries: [Variable],
        keys: [Variable],
        values: [Variable],
        norms: [HeadNorms],
        heads: Int,
        precision: Precision,
        rounding: Bool
    ) -> [MapInput] {
        precondition(norms.count == keys.count, "\(norms.count) norms for \(keys.count) streams")
        let width = keys[0].shape[2] / heads
        guard rounding, !isRecording, precision.roundsFactors, width % widestPanel == 0 else {
            func normalized(_ x: Variable, _ weight: Parameter?) -> Variable {
                weight.map { rmsNorm(x, weight: $0, epsilon: HeadNorms.epsilon, consuming: true) } ?? x
            }
            return attention(
                queries: zip(queries, norms).map { normalized($0, $1.query) },
                keys: zip(keys, norms).map { normalized($0, $1.key) },
                values: values,
                heads: heads,
                precision: precision,
                consuming: true
            )
            .map(MapInput.floats)
        }
        let outputs = queries.map { allocateRounded($0.shape) }
        var attention = JointAttention(
            queries: queries.map(\.value),
            keys: keys.map(\.value),
            values: values.map(\.value),
            outputs: zip(queries, outputs).map { $1.pairs.reshaped($0.shape.dropLast() + [$1.stride]) },
            logSums: nil,
            heads: heads,
            isCausal: false,
            scale: 1 / Float(width).squareRoot(),
            positionBias: nil,
            isBFloat16: true
        )
        attention.norms = norms
        attention.forward(on: self)
        (queries + keys + values).forEach { retire($0.value) }
        return outputs.map(MapInput.rounded)
    }
}
