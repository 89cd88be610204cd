import CKernels

extension Tensor {
    /// unconditional[s] + scales[s] · (conditional[s] − unconditional[s]) for every sample, in memory of its
    /// own.
    ///
    /// - Parameters:
    ///   - conditional: `[samples, …]`, as is `unconditional`.
    ///   - scales: one a sample.
    package static func guided(
        conditional: Tensor,
        unconditional: Tensor,
        scales: [Float]
    ) -> Tensor {
        precondition(
            conditional.shape == unconditional.shape && scales.count == conditional.shape.first,
            "\(scales.count) scales for velocities of \(conditional.shape) and \(unconditional.shape)"
        )
        let guided = Tensor.zeros(conditional.shape)
        unsafe fs_guide(
            conditional.pointer,
            unconditional.pointer,
            scales,
            guided.pointer,
            scales.count,
            guided.count / max(1, scales.count)
        )
        return guided
    }

    /// weight · self + otherWeight · other, in memory of its own; equal shapes.
    package func blended(weight: Float, with other: Tensor, weight otherWeight: Float) -> Tensor {
        precondition(shape == other.shape, "shapes \(shape) and \(other.shape) differ")
        let blend = other.copied()
        unsafe fs_blend(weight, pointer, otherWeight, blend.pointer, count)
        return blend
    }
}
