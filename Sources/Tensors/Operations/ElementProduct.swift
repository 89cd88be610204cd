import CKernels

extension Tape {
    /// z = x · y element by element, as in gated feed-forwards (Shazeer 2020, equation 5).
    ///
    /// - Parameters:
    ///   - y: of as many elements as `x`.
    ///   - consuming: neither is read again; when nothing is recorded the result takes the memory of `x`.
    package func elementProduct(_ x: Variable, _ y: Variable, consuming: Bool = false) -> Variable {
        precondition(x.value.count == y.value.count, "\(x.shape) times \(y.shape), element by element")
        let z = consuming && !isRecording ? x.value : allocate(x.shape)
        shareElements(z.count) { range in
            let first = range.lowerBound
            unsafe fs_multiply(
                x.value.pointer + first,
                y.value.pointer + first,
                z.pointer + first,
                range.count
            )
        }
        let result = output(z, of: x, y)
        if result.isTracked { record(ElementProductOperation(x: x, y: y, z: result)) }
        if consuming, !isRecording { retire(y.value) }
        return result
    }
}

private struct ElementProductOperation: Operation {
    let x: Variable
    let y: Variable
    let z: Variable

    func backward(on tape: Tape) {
        guard let dz = tape.finishedGradient(of: z) else { return }
        // dx += dz · y, dy += dz · x.
        for (input, other) in [(x, y), (y, x)] {
            guard let gradient = tape.accumulator(for: input) else { continue }
            unsafe fs_accumulate_product(dz.pointer, other.value.pointer, gradient.pointer, gradient.count)
        }
    }
}
