import CKernels

extension Tape {
    /// y[s] = base[s] + coefficient[s] · v[s]: an Euler step of its own length for every sample.
    ///
    /// - Parameters:
    ///   - base: `[samples, …]`, constant.
    ///   - coefficients: one a sample.
    ///   - v: of the shape of `base`.
    package func step(from base: Tensor, by coefficients: [Float], along v: Variable) -> Variable {
        precondition(
            base.count == v.value.count && coefficients.count == base.shape[0],
            "\(coefficients.count) steps along \(v.shape) from \(base.shape)"
        )
        let y = arena.allocate(base.shape)
        let count = base.count / coefficients.count
        unsafe fs_add_scaled_samples(
            base.pointer,
            coefficients,
            v.value.pointer,
            y.pointer,
            coefficients.count,
            count
        )
        let result = output(y, of: v)
        if result.isTracked { record(StepOperation(coefficients: coefficients, v: v, y: result)) }
        return result
    }
}

private struct StepOperation: Operation {
    let coefficients: [Float]
    let v: Variable
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y), let dv = tape.accumulator(for: v) else { return }
        unsafe fs_add_scaled_samples_backward(
            coefficients,
            dy.pointer,
            dv.pointer,
            coefficients.count,
            dv.count / coefficients.count
        )
    }
}

extension Tensor {
    /// base[s] + coefficient[s] · v[s] for every sample, in memory of its own.
    package static func step(from base: Tensor, by coefficients: [Float], along v: Tensor) -> Tensor {
        precondition(
            base.shape == v.shape && coefficients.count == base.shape[0],
            "\(coefficients.count) steps along \(v.shape) from \(base.shape)"
        )
        let y = Tensor.zeros(base.shape)
        unsafe fs_add_scaled_samples(
            base.pointer,
            coefficients,
            v.pointer,
            y.pointer,
            coefficients.count,
            base.count / max(1, coefficients.count)
        )
        return y
    }
}
