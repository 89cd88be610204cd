import CKernels

extension Tape {
    /// A convolution of stride 1 that keeps the extent, channels last: windows as rows, then a linear map.
    ///
    /// - Parameters:
    ///   - x: `[samples, height, width, channels]`.
    ///   - weight: `[out, kernel, kernel, channels]`, kernel odd; PyTorch's `[out, channels, kernel, kernel]`
    ///     permuted.
    /// - Returns: `[samples, height, width, out]`.
    package func convolution(_ x: Variable, weight: Parameter, bias: Parameter? = nil) -> Variable {
        let kernel = weight.value.shape[1]
        precondition(
            x.shape.count == 4 && weight.value.shape.count == 4 && weight.value.shape[3] == x.shape[3]
                && kernel % 2 == 1 && weight.value.shape[2] == kernel,
            "a kernel of shape \(weight.value.shape) over \(x.shape)"
        )
        guard kernel > 1 else { return linear(x, weight: weight, bias: bias) }
        let columns = arena.allocate(x.shape.dropLast() + [kernel * kernel * x.shape[3]])
        unsafe fs_image_to_columns(
            x.value.pointer,
            columns.pointer,
            x.shape[0],
            x.shape[1],
            x.shape[2],
            x.shape[3],
            kernel
        )
        let windows = output(columns, of: x)
        if windows.isTracked { record(WindowOperation(x: x, kernel: kernel, y: windows)) }
        return linear(windows, weight: weight, bias: bias)
    }
}

private struct WindowOperation: Operation {
    let x: Variable
    let kernel: Int
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y), let dx = tape.accumulator(for: x) else { return }
        unsafe fs_image_to_columns_backward(
            dy.pointer,
            dx.pointer,
            x.shape[0],
            x.shape[1],
            x.shape[2],
            x.shape[3],
            kernel
        )
    }
}
