import CKernels

extension Tensor {
    /// Tensors that agree in all axes but the last, side by side along it, in memory of its own.
    package static func joinedColumns(_ parts: [Tensor]) -> Tensor {
        let widths = parts.map { $0.shape.last ?? 1 }
        let head = Array(parts[0].shape.dropLast())
        precondition(
            parts.allSatisfy { Array($0.shape.dropLast()) == head },
            "tensors side by side agree in all axes but the last"
        )
        let width = widths.reduce(0, +)
        let joined = Tensor.zeros(head + [width])
        var column = 0
        for (part, partWidth) in zip(parts, widths) {
            unsafe fs_copy_strided(
                part.pointer,
                partWidth,
                joined.pointer + column,
                width,
                head.reduce(1, *),
                partWidth
            )
            column += partWidth
        }
        return joined
    }
}
