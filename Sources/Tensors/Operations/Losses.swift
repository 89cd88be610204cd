import CKernels

extension Tape {
    /// scale · Σ (x − target)²; the target is a constant.
    ///
    /// With scale = 1/count over a whole batch this is the mean squared error, also when lanes each see a part.
    package func squaredError(_ x: Variable, target: Tensor, scale: Float) -> Variable {
        precondition(x.value.count == target.count, "a target of shape \(target.shape) for \(x.shape)")
        let distance = unsafe fs_squared_distance(x.value.pointer, target.pointer, target.count)
        let y = scalar(Double(scale) * distance)
        let result = output(y, of: x)
        if result.isTracked { record(SquaredErrorOperation(x: x, target: target, scale: scale, y: result)) }
        return result
    }

    /// scale · Σ max(0, 1 − sign · x), the discriminator's hinge loss (Lim & Ye 2017).
    ///
    /// - Parameter sign: +1 for real samples, −1 for generated ones.
    package func hinge(_ x: Variable, sign: Float, scale: Float) -> Variable {
        let y = scalar(Double(scale) * (unsafe fs_hinge_forward(x.value.pointer, sign, x.value.count)))
        let result = output(y, of: x)
        if result.isTracked { record(HingeOperation(x: x, sign: sign, scale: scale, y: result)) }
        return result
    }

    /// scale · Σ x.
    package func sum(_ x: Variable, scale: Float) -> Variable {
        let y = scalar(Double(scale) * x.value.sum)
        let result = output(y, of: x)
        if result.isTracked { record(SumOperation(x: x, scale: scale, y: result)) }
        return result
    }

    /// Σ weight · loss over scalars.
    package func weightedSum(_ terms: [(weight: Float, loss: Variable)]) -> Variable {
        let y = scalar(terms.reduce(0) { $0 + Double($1.weight) * Double($1.loss.value.scalar) })
        let result = output(y, of: terms.map(\.loss))
        if result.isTracked { record(WeightedSumOperation(terms: terms, y: result)) }
        return result
    }

    func scalar(_ value: Double) -> Tensor {
        let y = arena.allocate([])
        y.fill(Float(value))
        return y
    }
}

private struct SquaredErrorOperation: Operation {
    let x: Variable
    let target: Tensor
    let scale: Float
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y), let dx = tape.accumulator(for: x) else { return }
        let coefficient = 2 * scale * dy.scalar
        unsafe fs_add_scaled_difference(
            coefficient,
            x.value.pointer,
            target.pointer,
            dx.pointer,
            target.count
        )
    }
}

private struct HingeOperation: Operation {
    let x: Variable
    let sign: Float
    let scale: Float
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y), let dx = tape.accumulator(for: x) else { return }
        unsafe fs_hinge_backward(x.value.pointer, sign, scale * dy.scalar, dx.pointer, x.value.count)
    }
}

private struct SumOperation: Operation {
    let x: Variable
    let scale: Float
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y), let dx = tape.accumulator(for: x) else { return }
        dx.accumulate(Tensor(repeating: scale * dy.scalar, shape: dx.shape))
    }
}

private struct WeightedSumOperation: Operation {
    let terms: [(weight: Float, loss: Variable)]
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y) else { return }
        for (weight, loss) in terms {
            tape.accumulator(for: loss)?.accumulate(dy, scaledBy: weight)
        }
    }
}
