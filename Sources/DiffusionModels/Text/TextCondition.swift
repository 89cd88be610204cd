package import Tensors

/// Encoded prompts as a velocity model reads them.
package struct TextCondition {
    /// `[samples, text tokens, joint attention width]`.
    package let context: Variable
    /// `[samples, pooled width]`.
    package let pooled: Variable

    package init(context: Variable, pooled: Variable) {
        self.context = context
        self.pooled = pooled
    }

    /// Encodings no gradient flows to.
    package init(_ encoded: EncodedText) {
        context = Variable(constant: encoded.context)
        pooled = Variable(constant: encoded.pooled)
    }
}
