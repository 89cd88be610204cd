import CKernels

/// Numbers as signed bytes: blocks of ``numberCount`` of them, the last one shorter, each with a scale of its own.
///
/// A block is a little-endian 32-bit float, its largest magnitude / 127, and behind it a byte a number, the multiple of
/// the scale that is nearest to it. So no number is off by more than its block's largest magnitude / 254.
package enum ByteBlocks {
    /// Numbers of a block.
    package static let numberCount = Int(FS_INT8_BLOCK)
    private static let scaleByteCount = 4

    /// Bytes of a whole block.
    package static let byteCount = scaleByteCount + numberCount

    /// Bytes of so many numbers.
    package static func byteCount(of count: Int) -> Int {
        count + (count + numberCount - 1) / numberCount * scaleByteCount
    }

    /// The numbers in so many bytes; nil when the last block has no number.
    package static func count(in byteCount: Int) -> Int? {
        let (blocks, rest) = byteCount.quotientAndRemainder(dividingBy: self.byteCount)
        guard rest == 0 || rest > scaleByteCount else { return nil }
        return blocks * numberCount + max(0, rest - scaleByteCount)
    }

    /// Writes a tensor's elements in order.
    package static func encode(_ tensor: Tensor) -> [UInt8] {
        let byteCount = byteCount(of: tensor.count)
        return unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, initialized in
            if let base = buffer.baseAddress { unsafe fs_float_to_int8(tensor.pointer, base, tensor.count) }
            initialized = byteCount
        }
    }

    /// Reads what ``encode(_:)`` wrote: `[count]`.
    package static func decode(_ bytes: [UInt8], count: Int) -> Tensor {
        precondition(
            bytes.count == byteCount(of: count),
            "\(count) numbers in \(bytes.count) bytes of blocks"
        )
        let tensor = Tensor.zeros([count])
        unsafe bytes.withUnsafeBytes { raw in
            if let base = raw.baseAddress { unsafe fs_int8_to_float(base, tensor.pointer, count) }
        }
        return tensor
    }
}
