extension Tensor {
    /// Overwrites the elements, `[m, n]`, in place with the product A · B of two matrices.
    ///
    /// - Parameters:
    ///   - a: A `[m, k]`, or its transpose `[k, m]`.
    ///   - aIsTransposed: `a` holds the transpose.
    ///   - b: B `[k, n]`, or its transpose `[n, k]`.
    ///   - bIsTransposed: `b` holds the transpose.
    ///   - tape: lends its workspace and its idle lanes.
    package func setProduct(
        _ a: Tensor,
        transposed aIsTransposed: Bool = false,
        _ b: Tensor,
        transposed bIsTransposed: Bool = false,
        on tape: Tape
    ) {
        precondition(
            shape.count == 2 && a.shape.count == 2 && b.shape.count == 2
                && (aIsTransposed ? a.shape.reversed() : a.shape)
                    == [shape[0], b.shape[bIsTransposed ? 1 : 0]]
                && b.shape[bIsTransposed ? 0 : 1] == shape[1],
            "a product \(shape) of \(a.shape) and \(b.shape)"
        )
        unsafe tape.multiply(
            Matrix(a.pointer, stride: a.shape[1], transposed: aIsTransposed),
            Matrix(b.pointer, stride: b.shape[1], transposed: bIsTransposed),
            into: pointer,
            stride: shape[1],
            ProductShape(m: shape[0], n: shape[1], k: a.shape[aIsTransposed ? 0 : 1])
        )
    }
}
