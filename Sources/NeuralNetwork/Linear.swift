package import Tensors

/// An affine map with an optional low-rank adapter.
package struct Linear: Sendable {
    /// `[out, in]`.
    package let weight: Parameter
    /// `[out]`.
    package let bias: Parameter?
    package let adapter: LowRankAdapter?

    package init(weight: Parameter, bias: Parameter?, adapter: LowRankAdapter? = nil) {
        self.weight = weight
        self.bias = bias
        self.adapter = adapter
    }

    /// `x` `[…, in]` to `[…, out]`.
    ///
    /// - Parameters:
    ///   - activation: what `x` is taken through first, if anything.
    ///   - consuming: `x` is not read again, by the way back of other operations neither.
    package func callAsFunction(
        _ x: Variable,
        through activation: Activation? = nil,
        consuming: Bool = false,
        on tape: Tape
    ) -> Variable {
        tape.linear(
            x,
            through: activation,
            weight: weight,
            bias: bias,
            adapter: adapter,
            consuming: consuming
        )
    }
}
