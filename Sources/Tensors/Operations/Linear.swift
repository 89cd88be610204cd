import CKernels

/// A low-rank update of a linear map, W + scale · up · down (LoRA, Hu and others 2021, equation 3).
package struct LowRankAdapter: Sendable {
    /// `[rank, in]`.
    package let down: Parameter
    /// `[out, rank]`; zero at the start, so that the adapted map begins as the frozen one.
    package let up: Parameter
    /// alpha / rank.
    package let scale: Float

    package init(down: Parameter, up: Parameter, scale: Float) {
        self.down = down
        self.up = up
        self.scale = scale
    }
}

extension Tape {
    /// y = x · Wᵀ + b, and with an adapter + scale · (x · downᵀ) · upᵀ.
    ///
    /// Shape letters: `R` rows (all leading axes of `x`), `I` inputs, `O` outputs, `K` rank.
    /// - Parameters:
    ///   - x: `[…, I]`.
    ///   - weight: `[O, I]`, as PyTorch stores it (further axes are flattened into `I`).
    ///   - bias: `[O]`.
    ///   - consuming: `x` is not read again, by the way back of other operations neither; its memory serves again
    ///     unless a gradient of the weight is made from it.
    /// - Returns: `[…, O]`.
    package func linear(
        _ x: Variable,
        weight: Parameter,
        bias: Parameter? = nil,
        adapter: LowRankAdapter? = nil,
        consuming: Bool = false
    ) -> Variable {
        let outputs = weight.shape[0]
        let inputs = weight.shape.dropFirst().reduce(1, *)
        precondition(x.shape.last == inputs, "a map of \(inputs) inputs got rows of shape \(x.shape)")
        let rows = x.value.count / inputs
        let w = weight.isLaidOut ? nil : parameter(weight)
        let b = bias.map(parameter)
        let y = allocate(x.shape.dropLast() + [outputs])
        let lowRank = adapter.map { project(x, through: $0, rows: rows, inputs: inputs) }
        unsafe multiply(
            Matrix(x.value.pointer, stride: inputs),
            weight.matrix(transposed: true),
            into: y.pointer,
            stride: outputs,
            ProductShape(m: rows, n: outputs, k: inputs, isNarrow: x.shape.count == 2),
            bias: b.map { unsafe UnsafePointer($0.value.pointer) },
            tail: lowRank.map {
                unsafe ProductTail(
                    a: Matrix($0.projected.pointer, stride: $0.rank),
                    b: Matrix($0.up.value.pointer, stride: $0.rank, transposed: true),
                    k: $0.rank
                )
            }
        )
        let result = output(y, of: x, w, b, lowRank?.down, lowRank?.up)
        if result.isTracked {
            record(
                LinearOperation(
                    x: x,
                    weight: weight,
                    trained: w,
                    bias: b,
                    adapter: lowRank,
                    y: result
                )
            )
        }
        if consuming, !isRecording || (adapter == nil && w?.isTracked != true) { retire(x.value) }
        return result
    }

    /// scale · x · downᵀ.
    private func project(_ x: Variable, through adapter: LowRankAdapter, rows: Int, inputs: Int)
        -> AdapterProduct
    {
        let rank = adapter.down.value.shape[0]
        let projected = allocate([rows, rank])
        unsafe multiply(
            Matrix(x.value.pointer, stride: inputs),
            Matrix(adapter.down.value.pointer, stride: inputs, transposed: true),
            into: projected.pointer,
            stride: rank,
            ProductShape(m: rows, n: rank, k: inputs)
        )
        projected.scale(by: adapter.scale)
        return AdapterProduct(
            down: parameter(adapter.down),
            up: parameter(adapter.up),
            projected: projected,
            scale: adapter.scale
        )
    }
}

/// What the backward pass of an adapter needs.
private struct AdapterProduct {
    let down: Variable
    let up: Variable
    /// scale · x · downᵀ, `[R, K]`.
    let projected: Tensor
    let scale: Float

    var rank: Int { projected.shape[1] }
}

private struct LinearOperation: Operation {
    let x: Variable
    let weight: Parameter
    /// The weight's place on the tape; nil for one that products read in a form of their own.
    let trained: Variable?
    let bias: Variable?
    let adapter: AdapterProduct?
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y) else { return }
        let outputs = weight.shape[0]
        let inputs = weight.shape.dropFirst().reduce(1, *)
        let rows = x.value.count / inputs
        let dx = tape.product(for: x)
        // dW += dyᵀ · x
        if let (dw, isNew) = tape.product(for: trained) {
            unsafe tape.multiply(
                Matrix(dy.pointer, stride: outputs, transposed: true),
                Matrix(x.value.pointer, stride: inputs),
                into: dw.pointer,
                stride: inputs,
                ProductShape(m: outputs, n: inputs, k: rows),
                adding: !isNew
            )
        }
        if let db = tape.accumulator(for: bias) {
            unsafe fs_column_sums(dy.pointer, db.pointer, rows, outputs)
        }
        let mark = tape.arena.mark
        let du = adapter.flatMap { backward($0, dy: dy, readsDown: dx != nil, on: tape) }
        // dx += dy · W + du · down
        if let (dx, isNew) = dx {
            unsafe tape.multiply(
                Matrix(dy.pointer, stride: outputs),
                weight.matrix(transposed: false),
                into: dx.pointer,
                stride: inputs,
                ProductShape(m: rows, n: inputs, k: outputs),
                tail: adapter.flatMap { adapter in
                    unsafe du.map {
                        unsafe ProductTail(
                            a: Matrix($0.pointer, stride: adapter.rank),
                            b: Matrix(adapter.down.value.pointer, stride: inputs),
                            k: adapter.rank
                        )
                    }
                },
                adding: !isNew
            )
        }
        tape.arena.release(to: mark)
    }

    /// Adds to the gradients of an adapter.
    ///
    /// - Parameter readsDown: the caller needs what is returned.
    /// - Returns: scale · dy · up, `[R, K]`, the gradient of x · downᵀ; nil when nothing needs it.
    private func backward(_ adapter: AdapterProduct, dy: Tensor, readsDown: Bool, on tape: Tape) -> Tensor? {
        let (rows, rank) = (adapter.projected.shape[0], adapter.rank)
        let outputs = weight.shape[0]
        let inputs = weight.shape.dropFirst().reduce(1, *)
        // d up += dyᵀ · (scale · x downᵀ), computed transposed so that dy is read along its rows.
        if let dup = tape.accumulator(for: adapter.up) {
            tape.arena.scratch(rank * outputs) { transposed in
                unsafe tape.multiply(
                    Matrix(adapter.projected.pointer, stride: rank, transposed: true),
                    Matrix(dy.pointer, stride: outputs),
                    into: transposed.pointer,
                    stride: outputs,
                    ProductShape(m: rank, n: outputs, k: rows)
                )
                unsafe fs_add_transposed(transposed.pointer, dup.pointer, rank, outputs)
            }
        }
        let ddown = tape.product(for: adapter.down)
        guard ddown != nil || readsDown else { return nil }
        let du = tape.arena.allocate([rows, rank])
        unsafe tape.multiply(
            Matrix(dy.pointer, stride: outputs),
            Matrix(adapter.up.value.pointer, stride: rank),
            into: du.pointer,
            stride: rank,
            ProductShape(m: rows, n: rank, k: outputs)
        )
        du.scale(by: adapter.scale)
        if let (ddown, isNew) = ddown {
            unsafe tape.multiply(
                Matrix(du.pointer, stride: rank, transposed: true),
                Matrix(x.value.pointer, stride: inputs),
                into: ddown.pointer,
                stride: inputs,
                ProductShape(m: rank, n: inputs, k: rows),
                adding: !isNew
            )
        }
        return du
    }
}
