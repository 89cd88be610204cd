import Tensors
import TestSupport
import Testing

@Suite struct TensorTests {
    @Test func `views share memory and copies do not`() {
        let tensor = Tensor([1, 2, 3, 4, 5, 6], shape: [3, 2])
        let row = tensor.row(1)
        let copy = row.copied()
        tensor.fill(7)
        #expect(row.values == [7, 7])
        #expect(copy.values == [3, 4])
    }

    @Test func `concatenated and stacked tensors keep their rows`() {
        let a = Tensor([1, 2], shape: [1, 2])
        let b = Tensor([3, 4, 5, 6], shape: [2, 2])
        #expect(Tensor.concatenated([a, b]).values == [1, 2, 3, 4, 5, 6])
        #expect(Tensor.stacked([a, a]).shape == [2, 1, 2])
        #expect(Tensor.joinedColumns([a, a]).values == [1, 2, 1, 2])
    }

    @Test(arguments: ScalarType.allCases)
    func `numbers survive their encoding`(type: ScalarType) {
        let tensor = Tensor([0, 1, -2, 0.5, 65504, -0.25], shape: [2, 3])
        let bytes = tensor.encoded(as: type)
        #expect(bytes.count == 6 * type.byteCount)
        let decoded = Tensor(decoding: bytes, as: type, shape: [2, 3])
        #expect(relativeError(decoded, tensor) < (type == .bfloat16 ? 4e-3 : 1e-7))
    }

    @Test func `the checksum of 123456789 is that of RFC 3720`() {
        #expect(crc32c(Array("123456789".utf8)) == 0xE306_9283)
        #expect(crc32c(Array("6789".utf8), continuing: crc32c(Array("12345".utf8))) == 0xE306_9283)
    }

    @Test func `a tensor with a number that is none is not finite`() {
        #expect(Tensor([1, 2], shape: [2]).isFinite)
        #expect(!Tensor([1, .nan], shape: [2]).isFinite)
        #expect(!Tensor([.infinity, 2], shape: [2]).isFinite)
    }

    @Test func `an arena that has seen a step's shapes asks for no more memory`() {
        let tape = Tape()
        func step() {
            tape.beginStep()
            let x = tape.variable(Tensor.zeros([512, 1024]))
            var y = x
            for _ in 0..<6 { y = tape.activation(.silu, y) }
            tape.backward(from: tape.sum(y, scale: 1))
            tape.reset()
        }
        step()
        step()
        let growths = tape.arena.growthCount
        for _ in 0..<5 { step() }
        #expect(tape.arena.growthCount == growths)
    }

    @Test func `lanes share out all of the work, each part once`() {
        let pool = LanePool(count: 3)
        let shares = LaneResults<Range<Int>>(repeating: 0..<0, count: 3)
        for count in [0, 1, 2, 3, 10] {
            for lane in 0..<3 { shares[lane] = 0..<0 }
            pool.forEachShare(of: count) { lane, range in shares[lane.index] = range }
            #expect(shares.values.flatMap(Array.init) == Array(0..<count))
        }
    }
}
