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
