import Foundation
import Tensors
import Testing

@Suite struct RandomStreamTests {
    @Test func `a stream is a function of its key and number`() {
        var first = RandomStream(key: 5, stream: 6)
        var again = RandomStream(key: 5, stream: 6)
        var other = RandomStream(key: 5, stream: 7)
        let numbers = first.normal([9]).values
        #expect(numbers == again.normal([9]).values)
        #expect(numbers != other.normal([9]).values)
        #expect(first.nextUniform() == again.nextUniform())
    }

    @Test func `normal numbers have mean 0 and variance 1`() {
        var stream = RandomStream(key: 1, stream: 2)
        let numbers = stream.normal([100_000])
        #expect(abs(numbers.sum / 100_000) < 0.02)
        #expect(abs(numbers.sumOfSquares / 100_000 - 1) < 0.02)
    }

    /// Box & Muller's formula, of the uniform numbers that the same stream gives.
    @Test func `normal numbers are made of pairs of uniform ones, in double precision`() {
        let count = 100_001
        var (normal, uniform) = (RandomStream(key: 1, stream: 2), RandomStream(key: 1, stream: 2))
        let numbers = normal.normal([count]).values
        let pairs = uniform.uniform([count + 1]).values.map(Double.init)
        let reference = stride(from: 0, to: count, by: 2).flatMap { index in
            let radius = (-2 * log(pairs[index])).squareRoot()
            let angle = 2 * Double.pi * pairs[index + 1]
            return [radius * cos(angle), radius * sin(angle)]
        }
        let worst = zip(numbers, reference).map { abs(Double($0) - $1) / max(abs($1), 1e-9) }.max()
        #expect(worst ?? 1 < 1e-7)
    }

    @Test(arguments: [1, 3, 4, 127, 128, 129])
    func `a stream's first normal numbers are the same however many are drawn`(count: Int) {
        var (few, many) = (RandomStream(key: 5, stream: 6), RandomStream(key: 5, stream: 6))
        #expect(few.normal([count]).values == Array(many.normal([500]).values.prefix(count)))
    }

    @Test func `uniform numbers lie in the half-open interval from 0 to 1 and fill it`() {
        var stream = RandomStream(key: 3, stream: 4)
        let numbers = stream.uniform([10_000]).values
        #expect(numbers.allSatisfy { $0 > 0 && $0 <= 1 })
        #expect(abs(numbers.reduce(0, +) / 10_000 - 0.5) < 0.02)
    }

    @Test func `whole numbers reach every value below the bound`() {
        var stream = RandomStream(key: 8, stream: 9)
        let seen = Set((0..<200).map { _ in stream.nextInteger(below: 7) })
        #expect(seen == Set(0..<7))
    }
}
