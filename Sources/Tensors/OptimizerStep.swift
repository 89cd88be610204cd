import CKernels

/// What an AdamW update does, but for the numbers it is done to.
package struct AdamWStep: Sendable {
    /// Number of this update, from 1, for the bias corrections.
    package var number: Int
    package var learningRate: Float
    package var beta1: Float
    package var beta2: Float
    package var epsilon: Float
    package var weightDecay: Float
    /// Multiplies the gradient first (clipping).
    package var gradientScale: Float

    package init(
        number: Int,
        learningRate: Float,
        betas: (Float, Float),
        epsilon: Float,
        weightDecay: Float,
        gradientScale: Float
    ) {
        self.number = number
        self.learningRate = learningRate
        (beta1, beta2) = betas
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.gradientScale = gradientScale
    }

    fileprivate var correction1: Float { Float(1 - power(Double(beta1), number)) }
    fileprivate var correction2: Float { Float(1 - power(Double(beta2), number)) }
}

extension Tensor {
    /// One AdamW update in place (Loshchilov & Hutter 2019, algorithm 2, as torch.optim.AdamW).
    ///
    /// - Parameters:
    ///   - gradient: of the shape of `self`, as are both moments, which are updated in place.
    ///   - pool: lanes that share the elements, if any.
    package func updateAdamW(
        _ step: AdamWStep,
        gradient: Tensor,
        firstMoment: Tensor,
        secondMoment: Tensor,
        pool: LanePool? = nil
    ) {
        precondition(
            gradient.count == count && firstMoment.count == count && secondMoment.count == count
                && step.number >= 1,
            "update \(step.number) of \(count) parameters with \(gradient.count) gradients"
        )
        let (correction1, correction2) = (step.correction1, step.correction2)
        func update(_ range: Range<Int>) {
            unsafe fs_adamw(
                pointer + range.lowerBound,
                gradient.pointer + range.lowerBound,
                firstMoment.pointer + range.lowerBound,
                secondMoment.pointer + range.lowerBound,
                range.count,
                step.learningRate,
                step.beta1,
                step.beta2,
                step.epsilon,
                step.weightDecay,
                correction1,
                correction2,
                step.gradientScale
            )
        }
        guard let pool else { return update(0..<count) }
        pool.forEachShare(of: count) { _, range in update(range) }
    }

    /// The same with moments in bytes, which are rounded after the update that they made.
    package func updateAdamW(
        _ step: AdamWStep,
        gradient: Tensor,
        moments: ByteMoments,
        pool: LanePool? = nil
    ) {
        precondition(
            gradient.count == count && moments.count == count && step.number >= 1,
            "update \(step.number) of \(count) parameters with \(gradient.count) gradients"
        )
        let (correction1, correction2) = (step.correction1, step.correction2)
        unsafe moments.forEachRun(pool: pool) { run in
            unsafe fs_adamw_bytes(
                run.tables,
                pointer + run.first,
                gradient.pointer + run.first,
                run.firstBytes,
                run.firstScales,
                run.secondBytes,
                run.secondScales,
                run.count,
                step.learningRate,
                step.beta1,
                step.beta2,
                step.epsilon,
                step.weightDecay,
                correction1,
                correction2,
                step.gradientScale
            )
        }
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
