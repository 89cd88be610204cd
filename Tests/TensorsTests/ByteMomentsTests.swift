import TestSupport
import Testing

@testable import Tensors

@Suite struct ByteMomentsTests {
    /// Two blocks and a bit, over nine decades, with zeros.
    private let numbers: [Float] = (0..<600).map { index in
        guard index % 50 != 7 else { return 0 }
        let sign: Float = index % 3 == 0 ? -1 : 1
        return sign * (1 + Float(index % 97) / 97)
            * (0..<index % 9).reduce(Float(1)) { power, _ in power / 10 }
    }

    @Test func `the nearest place of a decade is kept, the ends of decades exactly`() throws {
        let moments = try ByteMoments(count: 7)
        moments.encode(Tensor([-2, 1, 0.2, 1e-3, 0, 2e-6, 1e-7], shape: [7]), as: .first)
        // The uppermost decade has 64 places, 0.1 + 0.9 j / 64 of the largest: a half is nearest to j = 28.
        let expected: [Float] = [-2, 2 * (0.1 + 0.9 * 28 / 64), 0.2, 2 * (1e-4 + 9e-4 * 4 / 8), 0, 2e-6, 0]
        for (value, expected) in zip(moments.decoded(.first).values, expected) {
            #expect(abs(value - expected) <= 2e-7 * abs(expected))
        }
        // Roots of second moments have twice as many places, and the smallest never becomes zero.
        moments.encode(Tensor([4, 1, 0.04, 1e-6, 0, 4e-12, 1e-20], shape: [7]), as: .second)
        let half: Float = 2 * (0.1 + 0.9 * 57 / 128)
        let low: Float = 2 * (1e-4 + 9e-4 * 7 / 16)
        let least: Float = 2 * (1e-7 + 9e-7 / 2)
        let squares: [Float] = [4, half * half, 0.04, low * low, 0, 4e-12, least * least]
        for (value, expected) in zip(moments.decoded(.second).values, squares) {
            #expect(abs(value - expected) <= 1e-6 * expected)
        }
    }

    @Test func `a number is off by half a place of its decade at most`() throws {
        let moments = try ByteMoments(count: numbers.count)
        moments.encode(Tensor(numbers, shape: [numbers.count]), as: .first)
        for (index, (value, number)) in zip(moments.decoded(.first).values, numbers).enumerated() {
            let block = numbers[(index / 256 * 256)..<min(index / 256 * 256 + 256, numbers.count)]
            let largest = block.map(abs).max() ?? 0
            let places = (0..<7).map { decade in
                (top: (decade..<6).reduce(Float(1)) { t, _ in t / 10 }, parts: 1 << decade)
            }
            let own = places.first { abs(number) <= $0.top * largest * 1.000_001 }
            guard let own else { continue }
            #expect(
                abs(value - number) <= 0.5001 * 0.9 * own.top * largest / Float(own.parts) + 0.5e-6 * largest
            )
        }
    }

    @Test func `what is decoded encodes to the same bytes`() throws {
        let moments = try ByteMoments(count: numbers.count)
        let again = try ByteMoments(count: numbers.count)
        moments.encode(Tensor(numbers, shape: [numbers.count]), as: .first)
        moments.encode(Tensor(numbers.map { $0 * $0 }, shape: [numbers.count]), as: .second)
        again.encode(moments.decoded(.first), as: .first)
        again.encode(moments.decoded(.second), as: .second)
        func bits(_ moments: ByteMoments) -> [[UInt32]] { moments.memory.map { $0.values.map(\.bitPattern) } }
        #expect(bits(again) == bits(moments))
        #expect(moments.decoded(.first).values != moments.decoded(.second).values)
    }

    @Test func `both moments take little more than two bytes a parameter`() throws {
        let bytes = try ByteMoments(count: 1 << 16).memory.reduce(0) { $0 + 4 * $1.count }
        #expect(bytes == 2 * (1 << 16) + 2 * 4 * (1 << 8))
        #expect(bytes == ByteMoments.byteCount(of: 1 << 16))
    }

    @Test func `an update is that of moments in floats, which are rounded after it`() throws {
        let count = 1000
        let parameters = randomTensor([count], seed: 1)
        let mine = parameters.copied()
        let (first, second) = (Tensor.zeros([count]), Tensor.zeros([count]))
        let moments = try ByteMoments(count: count)
        for number in 1...3 {
            let gradient = randomTensor([count], seed: UInt64(10 + number))
            let step = AdamWStep(
                number: number,
                learningRate: 0.01,
                betas: (0.9, 0.999),
                epsilon: 1e-8,
                weightDecay: 0.1,
                gradientScale: 0.5
            )
            first.copy(from: moments.decoded(.first))
            second.copy(from: moments.decoded(.second))
            parameters.copy(from: mine)
            parameters.updateAdamW(step, gradient: gradient, firstMoment: first, secondMoment: second)
            mine.updateAdamW(step, gradient: gradient, moments: moments)
            #expect(mine.largestAbsoluteDifference(to: parameters) < 1e-6)
            let rounded = try ByteMoments(count: count)
            rounded.encode(first, as: .first)
            rounded.encode(second, as: .second)
            #expect(relativeError(moments.decoded(.first), rounded.decoded(.first)) < 1e-3)
            #expect(relativeError(moments.decoded(.second), rounded.decoded(.second)) < 1e-3)
        }
    }

    @Test func `lanes share an update without changing it`() throws {
        let gradient = randomTensor([5000], seed: 2)
        let step = AdamWStep(
            number: 1,
            learningRate: 0.01,
            betas: (0.9, 0.99),
            epsilon: 1e-8,
            weightDecay: 0,
            gradientScale: 1
        )
        func update(_ pool: LanePool?) throws -> [Float] {
            let parameters = Tensor.zeros([5000])
            let moments = try ByteMoments(count: 5000)
            parameters.updateAdamW(step, gradient: gradient, moments: moments, pool: pool)
            return parameters.values + moments.decoded(.second).values
        }
        #expect(try update(LanePool(count: 3)) == update(nil))
    }
}
