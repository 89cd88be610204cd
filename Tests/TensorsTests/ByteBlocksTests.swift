import Tensors
import Testing

/// Numbers in one byte each.
@Suite struct ByteBlocksTests {
    @Test(arguments: [1, 255, 256, 257, 1000])
    func `no number is off by more than half of its block's scale`(count: Int) {
        // Blocks of very different magnitudes.
        let values = (0..<count).map { index -> Float in
            let magnitude: Float = index / 256 % 2 == 0 ? 1e-6 : 30
            return magnitude * Float((index * 7919) % 2001 - 1000)
        }
        let tensor = Tensor(values, shape: [count])
        let bytes = ByteBlocks.encode(tensor)
        #expect(bytes.count == ByteBlocks.byteCount(of: count))
        #expect(ByteBlocks.count(in: bytes.count) == count)
        let decoded = ByteBlocks.decode(bytes, count: count).values
        for first in stride(from: 0, to: count, by: ByteBlocks.numberCount) {
            let block = first..<min(count, first + ByteBlocks.numberCount)
            let largest = values[block].reduce(Float(0)) { max($0, abs($1)) }
            for index in block {
                #expect(abs(decoded[index] - values[index]) <= largest / 254 * 1.000_01)
            }
            // The block's largest number is whole steps of its scale.
            if let index = block.first(where: { abs(values[$0]) == largest }) {
                #expect(abs(decoded[index] - values[index]) <= largest * 0x1p-22)
            }
        }
    }

    @Test func `multiples of the scale come back as they are, halves go to the even one`() {
        let values: [Float] = [127, -127, 0, 64, -3, 2.5, 3.5, -0.5]
        let decoded = ByteBlocks.decode(ByteBlocks.encode(Tensor(values, shape: [8])), count: 8).values
        #expect(decoded == [127, -127, 0, 64, -3, 2, 4, 0])
    }

    @Test func `zeros, and numbers too small for a scale, are zeros`() {
        let tensor = Tensor([0, .leastNonzeroMagnitude, -1e-37], shape: [3])
        #expect(ByteBlocks.decode(ByteBlocks.encode(tensor), count: 3).values == [0, 0, 0])
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func `a block with a number that is none is not finite`(value: Float) {
        let tensor = Tensor([1, value, 2], shape: [3])
        #expect(!ByteBlocks.decode(ByteBlocks.encode(tensor), count: 3).isFinite)
    }

    @Test func `a last block without a number is no block`() {
        for bytes in [1, 4, 261, 264, 521] { #expect(ByteBlocks.count(in: bytes) == nil) }
        #expect(ByteBlocks.count(in: 0) == 0)
        #expect(ByteBlocks.count(in: 5) == 1)
        #expect(ByteBlocks.count(in: 265) == 257)
    }
}
