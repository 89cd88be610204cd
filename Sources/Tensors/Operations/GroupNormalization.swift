import CKernels

extension Tape {
    /// Group norm (Wu & He 2018), channels last: statistics over all positions of a group of channels.
    ///
    /// - Parameters:
    ///   - x: `[samples, positions, channels]`.
    ///   - weight: `[channels]`, as is `bias`.
    package func groupNorm(
        _ x: Variable,
        groups: Int,
        weight: Parameter,
        bias: Parameter,
        epsilon: Float = 1e-5
    ) -> Variable {
        precondition(
            x.shape.count == 3 && x.shape[2] % groups == 0,
            "\(groups) groups of the channels of shape \(x.shape)"
        )
        let w = parameter(weight)
        let b = parameter(bias)
        let y = arena.allocate(x.shape)
        let mean = arena.allocate([x.shape[0], groups])
        let inverse = arena.allocate([x.shape[0], groups])
        unsafe fs_group_norm_forward(
            x.value.pointer,
            w.value.pointer,
            b.value.pointer,
            y.pointer,
            mean.pointer,
            inverse.pointer,
            x.shape[0],
            x.shape[1],
            x.shape[2],
            groups,
            epsilon
        )
        let result = output(y, of: x, w, b)
        if result.isTracked {
            record(GroupNormOperation(x: x, weight: w, bias: b, mean: mean, inverse: inverse, y: result))
        }
        return result
    }
}

private struct GroupNormOperation: Operation {
    let x: Variable
    let weight: Variable
    let bias: Variable
    /// `[samples, groups]`.
    let mean: Tensor
    let inverse: Tensor
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y) else { return }
        let dx = tape.accumulator(for: x)
        let dw = tape.accumulator(for: weight)
        let db = tape.accumulator(for: bias)
        unsafe fs_group_norm_backward(
            x.value.pointer,
            weight.value.pointer,
            mean.pointer,
            inverse.pointer,
            dy.pointer,
            dx?.pointer,
            dw?.pointer,
            db?.pointer,
            x.shape[0],
            x.shape[1],
            x.shape[2],
            mean.shape[1]
        )
    }
}
