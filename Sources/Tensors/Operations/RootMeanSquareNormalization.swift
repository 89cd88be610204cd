import CKernels

extension Tape {
    /// y = x/√(mean(x²) + ε) · weight for each run of `weight.count` elements: SD3.5's query and key norm.
    ///
    /// - Parameters:
    ///   - x: `[…, heads · width]`; every head is normalised by itself.
    ///   - weight: `[width]`.
    ///   - consuming: `x` is not read again; when nothing is recorded the result takes its memory.
    package func rmsNorm(
        _ x: Variable,
        weight: Parameter,
        epsilon: Float = 1e-6,
        consuming: Bool = false
    ) -> Variable {
        let width = weight.value.count
        precondition(x.value.count % width == 0, "heads of \(width) in shape \(x.shape)")
        let rows = x.value.count / width
        let w = parameter(weight)
        let y = consuming && !isRecording ? x.value : allocate(x.shape)
        let inverse = allocate([rows])
        shareRows(rows, perSample: rows, width: width) { range, _ in
            let first = range.lowerBound
            unsafe fs_rms_norm_forward(
                x.value.pointer + first * width,
                w.value.pointer,
                y.pointer + first * width,
                inverse.pointer + first,
                range.count,
                width,
                epsilon
            )
        }
        let result = output(y, of: x, w)
        if result.isTracked { record(RMSNormOperation(x: x, weight: w, inverse: inverse, y: result)) }
        return result
    }
}

private struct RMSNormOperation: Operation {
    let x: Variable
    let weight: Variable
    let inverse: Tensor
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y) else { return }
        let width = weight.value.count
        let dx = tape.accumulator(for: x)
        let dw = tape.accumulator(for: weight)
        let rows = x.value.count / width
        tape.shareRows(rows, perSample: rows, width: width, splitsSample: dw == nil) { range, _ in
            let first = range.lowerBound
            unsafe fs_rms_norm_backward(
                x.value.pointer + first * width,
                weight.value.pointer,
                inverse.pointer + first,
                dy.pointer + first * width,
                dx.map { unsafe $0.pointer + first * width },
                dw?.pointer,
                range.count,
                width
            )
        }
    }
}
