import Tensors

/// L_adv = −mean D(z_S, b): the student's share of the hinge game (FlowSteer §3.2).
///
/// - Parameters:
///   - logits: of the student's states, `[samples, tokens]`.
///   - batchCount: samples of the whole batch.
func adversarialLoss(_ logits: Variable, batchCount: Int, on tape: Tape) -> Variable {
    tape.sum(logits, scale: -1 / Float(batchCount * logits.shape[1]))
}

/// L_D = mean max(0, 1 − D(z_b, b)) + mean max(0, 1 + D(z_S, b)); 2 for a discriminator that says 0 everywhere.
///
/// - Parameters:
///   - real: logits of the teacher's states, `[samples, tokens]`, as are those of the student's.
///   - batchCount: samples of the whole batch.
func discriminatorLoss(real: Variable, fake: Variable, batchCount: Int, on tape: Tape) -> Variable {
    let scale = 1 / Float(batchCount * real.shape[1])
    return tape.weightedSum([
        (1, tape.hinge(real, sign: 1, scale: scale)), (1, tape.hinge(fake, sign: -1, scale: scale)),
    ])
}
