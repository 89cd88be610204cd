package import Tensors

/// How an offer's numbers are written on the wire.
package enum NumberEncoding: Sendable, Hashable, CaseIterable {
    case float32
    case float16
    case bfloat16
    /// Blocks of signed bytes with a scale, as ``ByteBlocks`` has them.
    case int8

    /// What whole numbers, or blocks of them, take: a fragment begins at a multiple of it.
    package var granule: Int {
        switch self {
        case .float32: 4
        case .float16, .bfloat16: 2
        case .int8: ByteBlocks.byteCount
        }
    }

    /// Numbers in ``granule`` bytes.
    package var numbersPerGranule: Int { self == .int8 ? ByteBlocks.numberCount : 1 }

    /// Bytes of so many numbers.
    package func byteCount(of count: Int) -> Int {
        self == .int8 ? ByteBlocks.byteCount(of: count) : count * granule
    }

    /// The numbers in so many bytes; nil when they end within one.
    package func count(in byteCount: Int) -> Int? {
        if self == .int8 { return ByteBlocks.count(in: byteCount) }
        return byteCount.isMultiple(of: granule) ? byteCount / granule : nil
    }

    /// Writes a tensor's elements in order, rounded to nearest.
    package func encode(_ tensor: Tensor) -> [UInt8] {
        scalarType.map { tensor.encoded(as: $0) } ?? ByteBlocks.encode(tensor)
    }

    /// Reads `count` numbers, which are exactly those of `bytes`: `[count]`.
    package func decode(_ bytes: [UInt8], count: Int) -> Tensor {
        scalarType.map { Tensor(decoding: bytes, as: $0, shape: [count]) }
            ?? ByteBlocks.decode(bytes, count: count)
    }

    private var scalarType: ScalarType? {
        switch self {
        case .float32: .float32
        case .float16: .float16
        case .bfloat16: .bfloat16
        case .int8: nil
        }
    }
}
