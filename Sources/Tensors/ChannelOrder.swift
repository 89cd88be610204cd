import CKernels

extension Tensor {
    /// `[channels, height, width]` as `[height, width, channels]`, in memory of its own.
    package var channelsLast: Tensor {
        let (channels, height, width) = (shape[0], shape[1], shape[2])
        let result = Tensor.zeros([height, width, channels])
        unsafe fs_patchify(pointer, result.pointer, 1, channels, height, width, 1)
        return result
    }

    /// `[height, width, channels]` as `[channels, height, width]`, in memory of its own.
    package var channelsFirst: Tensor {
        let (height, width, channels) = (shape[0], shape[1], shape[2])
        let result = Tensor.zeros([channels, height, width])
        unsafe fs_unpatchify(pointer, result.pointer, 1, channels, height, width, 1)
        return result
    }

    /// The first elements along the last axis, in memory of its own.
    package func firstColumns(_ count: Int) -> Tensor {
        let width = shape.last ?? 1
        precondition((0...width).contains(count), "the first \(count) columns of shape \(shape)")
        let result = Tensor.zeros(shape.dropLast() + [count])
        unsafe fs_copy_strided(pointer, width, result.pointer, count, self.count / max(1, width), count)
        return result
    }
}

extension Tensor {
    /// A column of a matrix `[rows, columns]`, `[rows]`, in memory of its own.
    package func column(_ index: Int) -> Tensor {
        precondition(shape.count == 2 && (0..<shape[1]).contains(index), "column \(index) of shape \(shape)")
        let result = Tensor.zeros([shape[0]])
        unsafe fs_copy_strided(pointer + index, shape[1], result.pointer, 1, shape[0], 1)
        return result
    }
}
