import Distillation
import Tensors
import TestSupport
import Testing

/// The flow-matching loss against closed forms.
@Suite struct FlowMatchingBatchTests {
    private let pictures = randomTensor([4, 3, 8, 8], seed: 1, scale: 0.5)
    private let noise = randomTensor([4, 3, 8, 8], seed: 2)
    private let sigmas: [Float] = [0, 0.25, 0.7, 1]

    private func loss(_ velocities: Tensor, of batch: FlowMatchingBatch) -> Float {
        batch.loss(of: Variable(constant: velocities), batchCount: batch.count, on: Tape()).value.scalar
    }

    @Test func `states lie on the straight way from picture to noise`() {
        let batch = FlowMatchingBatch(pictures, noise: noise, sigmas: sigmas)
        #expect(batch.states.row(0).values == pictures.row(0).values)
        #expect(batch.states.row(3).largestAbsoluteDifference(to: noise.row(3)) < 1e-6)
        for (row, sigma) in sigmas.enumerated() {
            let expected = zip(pictures.row(row).values, noise.row(row).values).map { x, e in
                (1 - sigma) * x + sigma * e
            }
            for (found, value) in zip(batch.states.row(row).values, expected) {
                #expect(abs(found - value) < 1e-6)
            }
        }
    }

    @Test func `the loss of the perfect field is zero, that of another its mean squared error`() {
        let batch = FlowMatchingBatch(pictures, noise: noise, sigmas: sigmas)
        let perfect = noise.subtracting(pictures)
        #expect(loss(perfect, of: batch) == 0)
        let other = perfect.adding(Tensor(repeating: 0.3, shape: perfect.shape))
        #expect(abs(loss(other, of: batch) - 0.09) < 1e-6)
        // Parts of a batch sum to its loss.
        let parts = [0..<1, 1..<4].map { range in
            let part = batch.rows(range)
            return part.loss(of: Variable(constant: other.rows(range)), batchCount: 4, on: Tape()).value
                .scalar
        }
        #expect(abs(parts.reduce(0, +) - 0.09) < 1e-6)
    }

    /// For x ~ N(0, s²) the best field is the regression of ε − x on z, (u − (1 − u) s²) z / V with
    /// V = (1 − u)² s² + u², and it leaves s² / V.
    @Test(arguments: [Float(0.05), 0.4, 0.95])
    func `the best field of a Gaussian leaves the loss that theory says`(u: Float) {
        let s: Float = 0.5
        let shape = [1, 1, 256, 256]
        let batch = FlowMatchingBatch(
            randomTensor(shape, seed: 3, scale: s),
            noise: randomTensor(shape, seed: 4),
            sigmas: [u]
        )
        let variance = (1 - u) * (1 - u) * s * s + u * u
        let field = batch.states.scaled(by: (u - (1 - u) * s * s) / variance)
        let best = loss(field, of: batch)
        #expect(abs(best / (s * s / variance) - 1) < 0.02)
        #expect(loss(field.scaled(by: 1.1), of: batch) > best)
        #expect(loss(field.scaled(by: 0.9), of: batch) > best)
    }
}
