import CKernels

/// Pointwise non-linearities.
package enum Activation: Sendable {
    /// 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))), SD3's feed-forward (Hendrycks & Gimpel 2016).
    case geluTanh
    /// 0.5 x (1 + erf(x/√2)).
    case gelu
    /// x · sigmoid(1.702 x), OpenAI CLIP's.
    case quickGELU
    /// x · sigmoid(x).
    case silu
    /// max(x, 0.2 x).
    case leakyReLU
    /// max(x, 0).
    case relu

    var kernel: fs_activation {
        switch self {
        case .geluTanh: FS_GELU_TANH
        case .gelu: FS_GELU_ERF
        case .quickGELU: FS_QUICK_GELU
        case .silu: FS_SILU
        case .leakyReLU: FS_LEAKY_RELU
        case .relu: FS_RELU
        }
    }
}

extension Tape {
    /// y = f(x) element by element.
    ///
    /// - Parameter consuming: `x` is not read again; when nothing is recorded the result takes its memory.
    package func activation(_ kind: Activation, _ x: Variable, consuming: Bool = false) -> Variable {
        let y = consuming && !isRecording ? x.value : allocate(x.shape)
        shareElements(y.count) { range in
            let first = range.lowerBound
            unsafe fs_activation_forward(
                kind.kernel,
                x.value.pointer + first,
                y.pointer + first,
                range.count
            )
        }
        let result = output(y, of: x)
        if result.isTracked { record(ActivationOperation(kind: kind, x: x, y: result)) }
        return result
    }
}

private struct ActivationOperation: Operation {
    let kind: Activation
    let x: Variable
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y), let (dx, isNew) = tape.product(for: x) else { return }
        tape.shareElements(dx.count) { range in
            let first = range.lowerBound
            unsafe fs_activation_backward(
                kind.kernel,
                x.value.pointer + first,
                dy.pointer + first,
                dx.pointer + first,
                range.count,
                isNew ? 0 : 1
            )
        }
    }
}
