import CKernels

/// What a discriminator's game makes of one logit.
package enum LogitLoss: Sendable, Equatable {
    /// log(1 + exp(sign · x)).
    case softplus(sign: Float)
    /// (sigmoid(x) − target)².
    case sigmoidDistance(target: Float)
}

extension Tape {
    /// scale · Σ of a loss over logits.
    package func logitLoss(_ kind: LogitLoss, _ x: Variable, scale: Float) -> Variable {
        let count = x.value.count
        let sum =
            switch kind {
            case .softplus(let sign): unsafe fs_softplus_sum(x.value.pointer, sign, count)
            case .sigmoidDistance(let target):
                unsafe fs_sigmoid_distance_sum(x.value.pointer, target, count)
            }
        let result = output(scalar(Double(scale) * sum), of: x)
        if result.isTracked { record(LogitLossOperation(kind: kind, x: x, scale: scale, y: result)) }
        return result
    }

    /// scale · Σ (√((x − target)² + edge²) − edge), the pseudo-Huber distance, element by element; the target is a
    /// constant.
    ///
    /// - Parameter edge: positive; far below it the distance is quadratic, far above it absolute.
    package func pseudoHuber(_ x: Variable, target: Tensor, edge: Float, scale: Float) -> Variable {
        precondition(x.value.count == target.count, "a target of shape \(target.shape) for \(x.shape)")
        let sum = unsafe fs_pseudo_huber_sum(x.value.pointer, target.pointer, edge, target.count)
        let result = output(scalar(Double(scale) * sum), of: x)
        if result.isTracked {
            record(PseudoHuberOperation(x: x, target: target, edge: edge, scale: scale, y: result))
        }
        return result
    }
}

private struct LogitLossOperation: Operation {
    let kind: LogitLoss
    let x: Variable
    let scale: Float
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y), let dx = tape.accumulator(for: x) else { return }
        let coefficient = scale * dy.scalar
        switch kind {
        case .softplus(let sign):
            unsafe fs_softplus_backward(x.value.pointer, sign, coefficient, dx.pointer, dx.count)
        case .sigmoidDistance(let target):
            unsafe fs_sigmoid_distance_backward(x.value.pointer, target, coefficient, dx.pointer, dx.count)
        }
    }
}

private struct PseudoHuberOperation: Operation {
    let x: Variable
    let target: Tensor
    let edge: Float
    let scale: Float
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y), let dx = tape.accumulator(for: x) else { return }
        let coefficient = scale * dy.scalar
        unsafe fs_pseudo_huber_backward(
            x.value.pointer,
            target.pointer,
            edge,
            coefficient,
            dx.pointer,
            dx.count
        )
    }
}
