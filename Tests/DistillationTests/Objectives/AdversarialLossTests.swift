import Foundation
import Tensors
import Testing

@testable import Distillation

@Suite struct AdversarialLossTests {
    /// Losses for real logits 2 and 0 and fake ones −1 and .5, over two heads of one token and one sample.
    private func losses(_ kind: AdversarialLoss) -> (student: Float, discriminator: Float) {
        let tape = Tape()
        func heads(_ logits: [Float]) -> [Variable] {
            logits.map { Variable(constant: Tensor([$0], shape: [1, 1])) }
        }
        let (real, fake) = (heads([2, 0]), heads([-1, 0.5]))
        return (
            kind.student(fake: fake, batchCount: 1, on: tape).value.scalar,
            kind.discriminator(real: real, fake: fake, batchCount: 1, on: tape).value.scalar
        )
    }

    private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

    @Test(arguments: AdversarialLoss.allCases)
    func `the losses of some logits are those that one computes by hand`(kind: AdversarialLoss) {
        let (student, discriminator): (Double, Double) =
            switch kind {
            case .hinge: (0.25, (0 + 1) / 2 + (0 + 1.5) / 2)
            case .wgan: (0.25, -1 - 0.25)
            case .lsgan:
                (
                    (pow(1 - sigmoid(-1), 2) + pow(1 - sigmoid(0.5), 2)) / 2,
                    (pow(1 - sigmoid(2), 2) + 0.25 + pow(sigmoid(-1), 2) + pow(sigmoid(0.5), 2)) / 2
                )
            case .nonSaturating:
                (
                    -(log(sigmoid(-1)) + log(sigmoid(0.5))) / 2,
                    -(log(sigmoid(2)) + log(0.5) + log(sigmoid(1)) + log(sigmoid(-0.5))) / 2
                )
            case .vanilla:
                (
                    (log(sigmoid(1)) + log(sigmoid(-0.5))) / 2,
                    -(log(sigmoid(2)) + log(0.5) + log(sigmoid(1)) + log(sigmoid(-0.5))) / 2
                )
            }
        let found = losses(kind)
        #expect(abs(Double(found.student) - student) < 1e-6)
        #expect(abs(Double(found.discriminator) - discriminator) < 1e-6)
    }
}
