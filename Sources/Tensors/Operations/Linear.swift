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
    /// - Returns: `[…, O]`.
    package func linear(
        _ x: Variable,
        weight: Parameter,
        bias: Parameter? = nil,
        adapter: LowRankAdapter? = nil
    ) -> Variable {
        let outputs = weight.value.shape[0]
        let inputs = weight.value.count / outputs
        precondition(x.shape.last == inputs, "a map of \(inputs) inputs got rows of shape \(x.shape)")
        let rows = x.value.count / inputs
        let w = parameter(weight)
        let b = bias.map(parameter)
        let y = arena.allocate(x.shape.dropLast() + [outputs])
        unsafe multiply(
            Matrix(x.value.pointer, stride: inputs),
            Matrix(weight.value, packed: weight.packed, transposed: true),
            into: y.pointer,
            stride: outputs,
            ProductShape(m: rows, n: outputs, k: inputs, isNarrow: x.shape.count == 2),
            bias: b.map { unsafe UnsafePointer($0.value.pointer) }
        )
        let lowRank = adapter.map { add($0, of: x, to: y, rows: rows, inputs: inputs, outputs: outputs) }
        let result = output(y, of: x, w, b, lowRank?.down, lowRank?.up)
        if result.isTracked {
            record(
                LinearOperation(
                    x: x,
                    weight: w,
                    packed: weight.packed,
                    bias: b,
                    adapter: lowRank,
                    y: result
                )
            )
        }
        return result
    }

    /// y += scale · (x · downᵀ) · upᵀ.
    private func add(
        _ adapter: LowRankAdapter,
        of x: Variable,
        to y: Tensor,
        rows: Int,
        inputs: Int,
        outputs: Int
    ) -> AdapterProduct {
        let rank = adapter.down.value.shape[0]
        let projected = arena.allocate([rows, rank])
        unsafe multiply(
            Matrix(x.value.pointer, stride: inputs),
            Matrix(adapter.down.value.pointer, stride: inputs, transposed: true),
            into: projected.pointer,
            stride: rank,
            ProductShape(m: rows, n: rank, k: inputs)
        )
        projected.scale(by: adapter.scale)
        unsafe multiply(
            Matrix(projected.pointer, stride: rank),
            Matrix(adapter.up.value.pointer, stride: rank, transposed: true),
            into: y.pointer,
            stride: outputs,
            ProductShape(m: rows, n: outputs, k: rank),
            adding: true
        )
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
}

private struct LinearOperation: Operation {
    let x: Variable
    let weight: Variable
    let packed: PackedWeight?
    let bias: Variable?
    let adapter: AdapterProduct?
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y) else { return }
        let outputs = weight.shape[0]
        let inputs = weight.value.count / outputs
        let rows = x.value.count / inputs
        // dx += dy · W
        if let (dx, isNew) = tape.product(for: x) {
            unsafe tape.multiply(
                Matrix(dy.pointer, stride: outputs),
                Matrix(weight.value, packed: packed, transposed: false),
                into: dx.pointer,
                stride: inputs,
                ProductShape(m: rows, n: inputs, k: outputs),
                adding: !isNew
            )
        }
        // dW += dyᵀ · x
        if let (dw, isNew) = tape.product(for: weight) {
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
        if let adapter { backward(adapter, dy: dy, on: tape, rows: rows, inputs: inputs, outputs: outputs) }
    }

    private func backward(
        _ adapter: AdapterProduct,
        dy: Tensor,
        on tape: Tape,
        rows: Int,
        inputs: Int,
        outputs: Int
    ) {
        let rank = adapter.projected.shape[1]
        // d up += dyᵀ · (scale · x downᵀ)
        if let (dup, isNew) = tape.product(for: adapter.up) {
            unsafe tape.multiply(
                Matrix(dy.pointer, stride: outputs, transposed: true),
                Matrix(adapter.projected.pointer, stride: rank),
                into: dup.pointer,
                stride: rank,
                ProductShape(m: outputs, n: rank, k: rows),
                adding: !isNew
            )
        }
        let ddown = tape.product(for: adapter.down)
        let dx = tape.product(for: x)
        guard ddown != nil || dx != nil else { return }
        let mark = tape.arena.mark
        // du = scale · dy · up
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
        if let (dx, isNew) = dx {
            unsafe tape.multiply(
                Matrix(du.pointer, stride: rank),
                Matrix(adapter.down.value.pointer, stride: inputs),
                into: dx.pointer,
                stride: inputs,
                ProductShape(m: rows, n: inputs, k: rank),
                adding: !isNew
            )
        }
        tape.arena.release(to: mark)
    }
}
