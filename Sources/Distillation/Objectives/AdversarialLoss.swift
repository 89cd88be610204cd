import Tensors

/// What student and discriminator play for, as a loss of logits; all are means over tokens and heads.
package enum AdversarialLoss: String, Sendable, Codable, CaseIterable {
    /// D: max(0, 1 − real) + max(0, 1 + fake); G: −fake (Lim and Ye 2017; FlowSteer §3.2).
    case hinge
    /// D: (1 − σ(real))² + σ(fake)²; G: (1 − σ(fake))² (Mao and others 2017, on sigmoids as Flash Diffusion has it).
    case lsgan
    /// D: fake − real, the heads' parameters clipped to ±.01 after every update; G: −fake (Arjovsky and others 2017).
    case wgan
    /// D: −log σ(real) − log(1 − σ(fake)); G: −log σ(fake) (Goodfellow and others 2014, §3).
    case nonSaturating = "non-saturating"
    /// The same D; G: log(1 − σ(fake)), the game of Goodfellow's equation 1 as it is.
    case vanilla

    /// Largest magnitude of the heads' parameters; nil for no bound.
    var headLimit: Float? { self == .wgan ? 0.01 : nil }

    /// The student's share.
    ///
    /// - Parameters:
    ///   - fake: logits of the student's states, `[samples, tokens]` a head.
    ///   - batchCount: samples of the whole batch.
    func student(fake: [Variable], batchCount: Int, on tape: Tape) -> Variable {
        mean(fake, batchCount, on: tape) { logits, scale in
            switch self {
            case .hinge, .wgan: tape.sum(logits, scale: -scale)
            case .lsgan: tape.logitLoss(.sigmoidDistance(target: 1), logits, scale: scale)
            case .nonSaturating: tape.logitLoss(.softplus(sign: -1), logits, scale: scale)
            // log(1 − σ(x)) = −softplus(x).
            case .vanilla: tape.logitLoss(.softplus(sign: 1), logits, scale: -scale)
            }
        }
    }

    /// The discriminator's; for the hinge 2 where it says 0 everywhere.
    ///
    /// - Parameter real: logits of the teacher's states, as those of the student's.
    func discriminator(real: [Variable], fake: [Variable], batchCount: Int, on tape: Tape) -> Variable {
        let realLoss = mean(real, batchCount, on: tape) { logits, scale in
            switch self {
            case .hinge: tape.hinge(logits, sign: 1, scale: scale)
            case .lsgan: tape.logitLoss(.sigmoidDistance(target: 1), logits, scale: scale)
            case .wgan: tape.sum(logits, scale: -scale)
            case .nonSaturating, .vanilla: tape.logitLoss(.softplus(sign: -1), logits, scale: scale)
            }
        }
        let fakeLoss = mean(fake, batchCount, on: tape) { logits, scale in
            switch self {
            case .hinge: tape.hinge(logits, sign: -1, scale: scale)
            case .lsgan: tape.logitLoss(.sigmoidDistance(target: 0), logits, scale: scale)
            case .wgan: tape.sum(logits, scale: scale)
            case .nonSaturating, .vanilla: tape.logitLoss(.softplus(sign: 1), logits, scale: scale)
            }
        }
        return tape.weightedSum([(1, realLoss), (1, fakeLoss)])
    }

    /// The mean of a loss over heads, each given the scale that makes its sum over tokens a mean.
    private func mean(
        _ heads: [Variable],
        _ batchCount: Int,
        on tape: Tape,
        _ loss: (Variable, Float) -> Variable
    ) -> Variable {
        let losses = heads.map { loss($0, 1 / Float(heads.count * batchCount * $0.shape[1])) }
        return losses.count == 1 ? losses[0] : tape.weightedSum(losses.map { (1, $0) })
    }
}
