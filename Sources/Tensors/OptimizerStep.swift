import CKernels

extension Tensor {
    /// One AdamW update in place (Loshchilov & Hutter 2019, algorithm 2, as torch.optim.AdamW).
    ///
    /// - Parameters:
    ///   - gradient: of the shape of `self`, as are both moments, which are updated in place.
    ///   - step: number of this update, from 1, for the bias corrections.
    ///   - gradientScale: multiplies the gradient first (clipping).
    ///   - pool: lanes that share the elements, if any.
    package func updateAdamW(
        gradient: Tensor,
        firstMoment: Tensor,
        secondMoment: Tensor,
        step: Int,
        learningRate: Float,
        betas: (Float, Float),
        epsilon: Float,
        weightDecay: Float,
        gradientScale: Float,
        pool: LanePool? = nil
    ) {
        precondition(
            gradient.count == count && firstMoment.count == count && secondMoment.count == count && step >= 1,
            "update \(step) of \(count) parameters with \(gradient.count) gradients"
        )
        let correction1 = Float(1 - power(Double(betas.0), step))
        let correction2 = Float(1 - power(Double(betas.1), step))
        func update(_ range: Range<Int>) {
            unsafe fs_adamw(
                pointer + range.lowerBound,
                gradient.pointer + range.lowerBound,
                firstMoment.pointer + range.lowerBound,
                secondMoment.pointer + range.lowerBound,
                range.count,
                learningRate,
                betas.0,
                betas.1,
                epsilon,
                weightDecay,
                correction1,
                correction2,
                gradientScale
            )
        }
        guard let pool else { return update(0..<count) }
        pool.forEachShare(of: count) { _, range in update(range) }
    }
}

/// base^exponent by squaring.
private func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, base, exponent) = (1.0, base, exponent)
    while exponent > 0 {
        if exponent & 1 == 1 { result *= base }
        base *= base
        exponent >>= 1
    }
    return result
}
