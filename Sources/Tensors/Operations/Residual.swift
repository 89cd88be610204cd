import CKernels

extension Tape {
    /// ``gatedResidual(_:_:modulation:gate:consuming:)`` of a branch that may not be computed yet.
    ///
    /// Neither is read again.
    package func gatedResidual(
        _ x: Variable,
        _ branch: Branch,
        modulation: Modulation,
        gate: Int
    ) -> Variable {
        switch branch {
        case .floats(let branch):
            gatedResidual(x, branch, modulation: modulation, gate: gate, consuming: true)
        case .mapped(let rows, let weight, let bias):
            gatedResidual(x, rows, weight: weight, bias: bias, modulation: modulation, gate: gate)
        }
    }

    /// y = x + gate · branch, gate one row a sample (AdaLN-Zero, Peebles & Xie 2023).
    ///
    /// - Parameters:
    ///   - x: `[samples · tokens, width]`, as is `branch`.
    ///   - gate: index of the chunk of `modulation` that multiplies the branch.
    ///   - consuming: neither `x` nor `branch` is read again by another operation. The result takes the memory of
    ///     `x` when nothing is recorded, and that of `branch` when no gradient flows to the gate.
    package func gatedResidual(
        _ x: Variable,
        _ branch: Variable,
        modulation: Modulation,
        gate: Int,
        consuming: Bool = false
    ) -> Variable {
        let width = modulation.width
        let rows = x.value.count / width
        precondition(
            branch.value.count == x.value.count && rows % modulation.samples == 0,
            "a branch of shape \(branch.shape) beside \(x.shape) of \(modulation.samples) samples"
        )
        let readsBranchBack = isRecording && modulation.variable.isTracked
        let y = !consuming || readsBranchBack ? allocate(x.shape) : isRecording ? branch.value : x.value
        shareRows(rows, perSample: rows / modulation.samples, width: width) { range, sample in
            let first = range.lowerBound * width
            unsafe fs_gated_residual_forward(
                x.value.pointer + first,
                branch.value.pointer + first,
                modulation.chunk(gate, sample: sample),
                modulation.stride,
                y.pointer + first,
                range.count,
                width,
                rows / modulation.samples
            )
        }
        let result = output(y, of: x, branch, modulation.variable)
        if result.isTracked {
            record(
                GatedResidualOperation(x: x, branch: branch, modulation: modulation, gate: gate, y: result)
            )
        }
        if consuming, !isRecording { retire(branch.value) }
        return result
    }

    /// y = x + other.
    ///
    /// - Parameter consuming: `x` is not read again; when nothing is recorded the result takes its memory.
    package func add(_ x: Variable, _ other: Variable, consuming: Bool = false) -> Variable {
        precondition(x.value.count == other.value.count, "adding \(other.shape) to \(x.shape)")
        let y = consuming && !isRecording ? x.value : arena.allocate(x.shape)
        if !(consuming && !isRecording) { y.copy(from: x.value) }
        y.accumulate(other.value)
        let result = output(y, of: x, other)
        if result.isTracked { record(AddOperation(x: x, other: other, y: result)) }
        return result
    }

    /// y[r] = x[r] + table[r mod period]: a table of one row a token added to every sample.
    package func addRows(_ x: Variable, table: Tensor) -> Variable {
        let width = x.shape.last ?? 1
        let y = isRecording ? arena.allocate(x.shape) : x.value
        unsafe fs_add_periodic_rows(
            x.value.pointer,
            table.pointer,
            y.pointer,
            x.value.count / width,
            width,
            table.count / width
        )
        let result = output(y, of: x)
        if result.isTracked { record(PassOperation(x: x, y: result)) }
        return result
    }

    /// The same elements under another shape.
    package func reshape(_ x: Variable, _ shape: [Int]) -> Variable {
        let result = output(x.value.reshaped(shape), of: x)
        if result.isTracked { record(PassOperation(x: x, y: result)) }
        return result
    }
}

private struct GatedResidualOperation: Operation {
    let x: Variable
    let branch: Variable
    let modulation: Modulation
    let gate: Int
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y) else { return }
        let width = modulation.width
        let rows = x.value.count / width
        let dbranch = tape.product(for: branch)
        let dm = tape.accumulator(for: modulation.variable)
        tape.shareRows(rows, perSample: rows / modulation.samples, width: width, splitsSample: dm == nil) {
            range,
            sample in
            let first = range.lowerBound * width
            unsafe fs_gated_residual_backward(
                branch.value.pointer + first,
                modulation.chunk(gate, sample: sample),
                modulation.stride,
                dy.pointer + first,
                dbranch.map { unsafe $0.gradient.pointer + first },
                dbranch?.isNew == false ? 1 : 0,
                dm.map { unsafe modulation.chunk(gate, of: $0, sample: sample) },
                range.count,
                width,
                rows / modulation.samples
            )
        }
        tape.pass(dy, to: x)
    }
}

private struct AddOperation: Operation {
    let x: Variable
    let other: Variable
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y) else { return }
        // Added, not passed: both inputs would otherwise share one buffer.
        tape.accumulator(for: other)?.accumulate(dy)
        tape.pass(dy, to: x)
    }
}

/// The identity up to shape and constants.
private struct PassOperation: Operation {
    let x: Variable
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y) else { return }
        tape.pass(dy, to: x)
    }
}
