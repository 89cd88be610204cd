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
    /// - Parameter consuming: `x` is not read again, by the way back of other operations neither.
    package func callAsFunction(_ x: Variable, consuming: Bool = false, on tape: Tape) -> Variable {
        tape.linear(x, weight: weight, bias: bias, adapter: adapter, consuming: consuming)
    }

    /// As above, of rows that may be rounded if the map ``readsRounded(on:)``.
    package func callAsFunction(_ x: MapInput, consuming: Bool = false, on tape: Tape) -> Variable {
        switch x {
        case .floats(let x): self(x, consuming: consuming, on: tape)
        case .rounded(let x): tape.linear(x, weight: weight, bias: bias, consuming: consuming)
        }
    }

    /// As above, for a residual, which computes it while it adds what is made of rounded rows; those are not read
    /// again.
    package func branch(_ x: MapInput, consuming: Bool = false, on tape: Tape) -> Branch {
        switch x {
        case .floats(let x): .floats(self(x, consuming: consuming, on: tape))
        case .rounded(let x): .mapped(x, weight: weight, bias: bias)
        }
    }

    /// Whether it may be given rows rounded to bfloat16; an adapter reads them in full.
    package func readsRounded(on tape: Tape) -> Bool { adapter == nil && tape.readsRounded(weight) }
}
