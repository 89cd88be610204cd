import CKernels

/// A dense, row-major block of 32-bit floats with a shape.
///
/// A tensor is a view: copying one copies no numbers, `reshaped` and `rows` share memory with their origin.
/// Numbers are immutable to every module but this one, except through the operations documented as writing
/// in place (``copy(from:)``, optimizers), which belong to the tensor's single owner.
package struct Tensor: Sendable {
    /// Extents, outermost first; empty for a scalar.
    package let shape: [Int]
    let storage: Storage
    let offset: Int

    init(shape: [Int], storage: Storage, offset: Int) {
        self.shape = shape
        self.storage = storage
        self.offset = offset
    }

    /// Number of elements: the product of the extents.
    package var count: Int { shape.reduce(1, *) }

    /// True for a view of the same memory from the same element on.
    func startsWhere(_ other: Tensor) -> Bool { storage === other.storage && offset == other.offset }

    /// The first element; only this module follows it.
    var pointer: UnsafeMutablePointer<Float> { unsafe storage.base + offset }
}

// MARK: - Making tensors

extension Tensor {
    /// A zeroed tensor of its own memory.
    package static func zeros(_ shape: [Int]) -> Tensor {
        precondition(shape.allSatisfy { $0 >= 0 }, "extents are not negative, got \(shape)")
        return Tensor(shape: shape, storage: Storage(zeroed: shape.reduce(1, *)), offset: 0)
    }

    /// A tensor of its own memory holding `values` in row-major order.
    package init(_ values: [Float], shape: [Int]) {
        self = .zeros(shape)
        precondition(values.count == count, "shape \(shape) holds \(count) values, got \(values.count)")
        let target = unsafe pointer
        unsafe values.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { unsafe target.update(from: base, count: source.count) }
        }
    }

    /// A tensor of one repeated value.
    package init(repeating value: Float, shape: [Int]) {
        self.init([Float](repeating: value, count: shape.reduce(1, *)), shape: shape)
    }

    /// A scalar: shape `[]`.
    package init(scalar value: Float) { self.init([value], shape: []) }

    /// The same numbers in memory of their own.
    package func copied() -> Tensor {
        let copy = Tensor.zeros(shape)
        copy.copy(from: self)
        return copy
    }

    /// Tensors of one shape joined along their first axis.
    package static func concatenated(_ parts: [Tensor]) -> Tensor {
        guard let first = parts.first else { return .zeros([0]) }
        let tail = Array(first.shape.dropFirst())
        precondition(
            parts.allSatisfy { Array($0.shape.dropFirst()) == tail },
            "concatenated tensors agree in all axes but the first"
        )
        let joined = Tensor.zeros([parts.reduce(0) { $0 + $1.shape[0] }] + tail)
        var row = 0
        for part in parts {
            joined.rows(row..<row + part.shape[0]).copy(from: part)
            row += part.shape[0]
        }
        return joined
    }

    /// Tensors of one shape as the rows of a new first axis.
    package static func stacked(_ parts: [Tensor]) -> Tensor {
        concatenated(parts.map { $0.reshaped([1] + $0.shape) })
    }
}

// MARK: - Views

extension Tensor {
    /// The same elements under another shape of equal count.
    package func reshaped(_ shape: [Int]) -> Tensor {
        precondition(
            shape.reduce(1, *) == count,
            "\(self.shape) has \(count) elements, not those of \(shape)"
        )
        return Tensor(shape: shape, storage: storage, offset: offset)
    }

    /// Rows of the first axis, as a view.
    package func rows(_ range: Range<Int>) -> Tensor {
        precondition(
            !shape.isEmpty && range.lowerBound >= 0 && range.upperBound <= shape[0],
            "rows \(range) of shape \(shape)"
        )
        let width = shape.dropFirst().reduce(1, *)
        return Tensor(
            shape: [range.count] + shape.dropFirst(),
            storage: storage,
            offset: offset + range.lowerBound * width
        )
    }

    /// One row of the first axis, without that axis.
    package func row(_ index: Int) -> Tensor {
        rows(index..<index + 1).reshaped(Array(shape.dropFirst()))
    }
}

// MARK: - Reading

extension Tensor {
    /// The elements in row-major order.
    package var values: [Float] {
        let source = unsafe pointer
        let count = count
        return unsafe [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            if let base = buffer.baseAddress { unsafe base.update(from: source, count: count) }
            initialized = count
        }
    }

    /// The only element of a tensor of one element.
    package var scalar: Float {
        precondition(count == 1, "a scalar has one element, not shape \(shape)")
        return unsafe pointer[0]
    }

    /// True when no element is infinite or not a number.
    package var isFinite: Bool { unsafe fs_all_finite(pointer, count) != 0 }

    /// Σ x², in double precision.
    package var sumOfSquares: Double { unsafe fs_sum_of_squares(pointer, count) }

    /// Σ x, in double precision.
    package var sum: Double { unsafe fs_sum(pointer, count) }

    /// Σ (x − y)², in double precision; equal shapes.
    package func squaredDistance(to other: Tensor) -> Double {
        precondition(shape == other.shape, "shapes \(shape) and \(other.shape) differ")
        return unsafe fs_squared_distance(pointer, other.pointer, count)
    }

    /// max |x − y|; equal shapes.
    package func largestAbsoluteDifference(to other: Tensor) -> Float {
        precondition(shape == other.shape, "shapes \(shape) and \(other.shape) differ")
        return unsafe fs_largest_absolute_difference(pointer, other.pointer, count)
    }
}

// MARK: - Arithmetic outside the tape

extension Tensor {
    /// `self + scale · other`, in memory of its own.
    package func adding(_ other: Tensor, scaledBy scale: Float = 1) -> Tensor {
        let sum = copied()
        sum.accumulate(other, scaledBy: scale)
        return sum
    }

    /// `self − other`, in memory of its own.
    package func subtracting(_ other: Tensor) -> Tensor { adding(other, scaledBy: -1) }

    /// `scale · self`, in memory of its own.
    package func scaled(by scale: Float) -> Tensor { Tensor.zeros(shape).adding(self, scaledBy: scale) }

    /// Overwrites the elements in place.
    package func copy(from other: Tensor) {
        precondition(count == other.count, "copying \(other.shape) into \(shape)")
        unsafe pointer.update(from: other.pointer, count: count)
    }

    /// Adds `scale · other` in place.
    package func accumulate(_ other: Tensor, scaledBy scale: Float = 1) {
        precondition(count == other.count, "adding \(other.shape) to \(shape)")
        unsafe fs_accumulate(scale, other.pointer, pointer, count)
    }

    /// Puts `floor` in the place of smaller elements; leaves those alone that are not a number.
    package func raise(to floor: Float) { unsafe fs_raise(floor, pointer, count) }

    /// Brings every element into `-limit ... limit` in place; leaves those alone that are not a number.
    package func clip(to limit: Float) {
        for _ in 0..<2 {
            raise(to: -limit)
            scale(by: -1)
        }
    }

    /// Multiplies every element by `factor` in place; leaves them alone for 1.
    package func scale(by factor: Float) {
        guard factor != 1 else { return }
        unsafe fs_scale(factor, pointer, count)
    }

    /// Sets every element to `value` in place.
    package func fill(_ value: Float) {
        unsafe pointer.update(repeating: value, count: count)
    }
}
