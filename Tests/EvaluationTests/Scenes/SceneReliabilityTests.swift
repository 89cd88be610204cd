import Tensors
import Testing

@testable import Evaluation

struct SceneReliabilityTests {
    @Test
    func
        `the scene score is right about clean scenes, nearly right about slightly spoilt ones, not about a blur`()
        throws
    {
        let reliability = try SceneReliability(
            of: .embedded(),
            disturbances: [.none, .blur(0.5), .noise(0.25), .blur(4)],
            count: 48,
            seed: 3,
            on: LanePool(count: 2)
        )
        let scores = reliability.rows.map(\.score.overall)
        #expect(scores[0] >= 0.99)
        #expect(scores[1] >= 0.95)
        #expect(scores[2] >= 0.95)
        #expect(scores[3] < 0.5)
        #expect(reliability.rows[0].exactShare >= 0.99)
        #expect(reliability.plainText.contains("blur 4.0 px"))
    }

    @Test func `a blur keeps white paper, the sum of a speck, and spreads it as its variance says`() {
        var stream = RandomStream(key: 0, stream: 0)
        var pixels = [Float](repeating: 1, count: 3 * 32 * 32)
        #expect(
            SceneDisturbance.blur(1.5).applied(to: Tensor(pixels, shape: [3, 32, 32]), from: &stream).values
                .allSatisfy { abs($0 - 1) < 1e-6 }
        )
        pixels[16 * 32 + 16] = 0
        let blurred = SceneDisturbance.blur(1.5).applied(
            to: Tensor(pixels, shape: [3, 32, 32]),
            from: &stream
        )
        let missing = blurred.values.prefix(32 * 32).map { Double(1 - $0) }
        #expect(abs(missing.reduce(0, +) - 1) < 1e-4)
        let variance = missing.enumerated().reduce(0.0) { sum, pixel in
            let offset = Double(pixel.offset % 32 - 16)
            return sum + pixel.element * offset * offset
        }
        #expect(abs(variance - 2.25) < 0.02)
    }
}
