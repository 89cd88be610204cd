package import Tensors

/// Prompts as a velocity model reads them.
package struct EncodedText: Sendable {
    /// `[prompts, tokens, joint attention width]`.
    package let context: Tensor
    /// `[prompts, pooled width]`.
    package let pooled: Tensor

    package init(context: Tensor, pooled: Tensor) {
        precondition(
            context.shape[0] == pooled.shape[0],
            "\(context.shape[0]) contexts and \(pooled.shape[0]) pooled vectors"
        )
        self.context = context
        self.pooled = pooled
    }

    /// Number of prompts.
    package var count: Int { context.shape[0] }

    /// The encodings of some prompts, in the order of `indices`.
    package func selecting(_ indices: [Int]) -> EncodedText {
        EncodedText(
            context: .stacked(indices.map { context.row($0) }),
            pooled: .stacked(indices.map { pooled.row($0) })
        )
    }

    /// The encodings of a run of prompts, as views.
    package func rows(_ range: Range<Int>) -> EncodedText {
        EncodedText(context: context.rows(range), pooled: pooled.rows(range))
    }

    /// `other` under `self`.
    package func appending(_ other: EncodedText) -> EncodedText {
        EncodedText(
            context: .concatenated([context, other.context]),
            pooled: .concatenated([pooled, other.pooled])
        )
    }

    /// One encoding for each of `count` samples.
    package func repeated(_ count: Int) -> EncodedText {
        precondition(self.count == 1, "one prompt is repeated, not \(self.count)")
        return selecting([Int](repeating: 0, count: count))
    }
}
