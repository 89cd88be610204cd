import Tensors

/// L_FM = Σ over blocks of mean (D_l(z_b) − D_l(z_S))²; the teacher's features are constants (FlowSteer §3.2).
///
/// - Parameters:
///   - real: the discriminator's features of the teacher's states, `[samples, tokens, width]` a block.
///   - fake: those of the student's states.
///   - batchCount: samples of the whole batch.
func featureMatchingLoss(_ real: [Tensor], _ fake: [Variable], batchCount: Int, on tape: Tape) -> Variable {
    tape.weightedSum(
        zip(real, fake).map { real, fake in
            let elements = real.count / real.shape[0] * batchCount
            return (1, tape.squaredError(fake, target: real, scale: 1 / Float(elements)))
        }
    )
}
