import CKernels

extension Tape {
    /// Cuts pictures into tokens, the columns of a convolution whose stride is its kernel.
    ///
    /// - Parameter pictures: `[samples, channels, height, width]`, both extents multiples of `patch`.
    /// - Returns: `[samples, tokens, channels · patch · patch]`, elements in the order (channel, y, x).
    package func patchify(_ pictures: Variable, patch: Int) -> Variable {
        let size = PictureSize(pictures.shape, patch: patch)
        let y = arena.allocate([size.samples, size.tokens, size.features])
        unsafe fs_patchify(
            pictures.value.pointer,
            y.pointer,
            size.samples,
            size.channels,
            size.height,
            size.width,
            patch
        )
        let result = output(y, of: pictures)
        if result.isTracked { record(PatchifyOperation(pictures: pictures, size: size, y: result)) }
        return result
    }

    /// Puts tokens together to pictures; elements run (y, x, channel), as SD3's last projection makes them.
    ///
    /// - Parameters:
    ///   - tokens: `[samples, tokens, patch · patch · channels]`.
    ///   - shape: `[samples, channels, height, width]` of the result.
    package func unpatchify(_ tokens: Variable, patch: Int, to shape: [Int]) -> Variable {
        let size = PictureSize(shape, patch: patch)
        precondition(
            tokens.value.count == shape.reduce(1, *),
            "tokens of shape \(tokens.shape) do not make pictures \(shape)"
        )
        let y = arena.allocate(shape)
        unsafe fs_unpatchify(
            tokens.value.pointer,
            y.pointer,
            size.samples,
            size.channels,
            size.height,
            size.width,
            patch
        )
        let result = output(y, of: tokens)
        if result.isTracked { record(UnpatchifyOperation(tokens: tokens, size: size, y: result)) }
        return result
    }
}

private struct PictureSize {
    let samples: Int
    let channels: Int
    let height: Int
    let width: Int
    let patch: Int

    init(_ shape: [Int], patch: Int) {
        precondition(
            shape.count == 4 && shape[2] % patch == 0 && shape[3] % patch == 0,
            "pictures of shape \(shape) do not divide into patches of \(patch)"
        )
        (samples, channels, height, width) = (shape[0], shape[1], shape[2], shape[3])
        self.patch = patch
    }

    var tokens: Int { (height / patch) * (width / patch) }
    var features: Int { channels * patch * patch }
}

private struct PatchifyOperation: Operation {
    let pictures: Variable
    let size: PictureSize
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y), let dx = tape.accumulator(for: pictures) else { return }
        unsafe fs_patchify_backward(
            dy.pointer,
            dx.pointer,
            size.samples,
            size.channels,
            size.height,
            size.width,
            size.patch
        )
    }
}

private struct UnpatchifyOperation: Operation {
    let tokens: Variable
    let size: PictureSize
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y), let dx = tape.accumulator(for: tokens) else { return }
        unsafe fs_unpatchify_backward(
            dy.pointer,
            dx.pointer,
            size.samples,
            size.channels,
            size.height,
            size.width,
            size.patch
        )
    }
}
