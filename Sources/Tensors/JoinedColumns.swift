import CKernels

extension Tensor {
    /// Tensors that agree in all axes but the last, side by side along it, in memory of its own.
    package static func joinedColumns(_ parts: [Tensor]) -> Tensor {
        let widths = parts.map { $0.shape.last ?? 1 }
        let joined = Tensor.zeros(parts[0].shape.dropLast() + [widths.reduce(0, +)])
        joined.setColumns(parts)
        return joined
    }

    /// Overwrites the elements with those of tensors side by side, whose last axes make up this one's.
    func setColumns(_ parts: [Tensor]) {
        let width = shape.last ?? 1
        var column = 0
        for part in parts {
            let partWidth = part.shape.last ?? 1
            precondition(
                part.shape.dropLast() == shape.dropLast() && column + partWidth <= width,
                "\(parts.map(\.shape)) side by side in \(shape)"
            )
            unsafe fs_copy_strided(
                part.pointer,
                partWidth,
                pointer + column,
                width,
                part.count / max(1, partWidth),
                partWidth
            )
            column += partWidth
        }
    }
}
