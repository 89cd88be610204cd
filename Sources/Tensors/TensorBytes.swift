import CKernels

/// How a number is stored in a file or on the wire, always little-endian.
package enum ScalarType: String, Sendable, CaseIterable {
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"

    /// Bytes of one number.
    package var byteCount: Int { self == .float32 ? 4 : 2 }
}

extension Tensor {
    /// Reads little-endian numbers of any alignment; `bytes` holds exactly those of `shape`.
    package init(decoding bytes: [UInt8], as type: ScalarType, shape: [Int]) {
        self = .zeros(shape)
        precondition(
            bytes.count == count * type.byteCount,
            "\(shape) of \(type.rawValue) takes \(count * type.byteCount) bytes, got \(bytes.count)"
        )
        unsafe bytes.withUnsafeBytes { raw in
            if let base = raw.baseAddress { unsafe decode(base, as: type) }
        }
    }

    /// Reads little-endian 32-bit floats from bytes in pieces, cut anywhere; all together hold exactly those of `shape`.
    package init(decodingFloats pieces: [[UInt8]], shape: [Int]) {
        self = .zeros(shape)
        precondition(
            pieces.byteCount == 4 * count,
            "\(shape) floats take \(4 * count) bytes, got \(pieces.byteCount)"
        )
        var target = unsafe UnsafeMutableRawPointer(pointer)
        for piece in pieces {
            unsafe piece.withUnsafeBytes { raw in
                guard let base = raw.baseAddress else { return }
                unsafe target.copyMemory(from: base, byteCount: raw.count)
                unsafe target += raw.count
            }
        }
    }

    /// Fills this tensor from little-endian numbers of any alignment.
    func decode(_ source: UnsafeRawPointer, as type: ScalarType) {
        switch type {
        case .float32:
            unsafe UnsafeMutableRawPointer(pointer).copyMemory(from: source, byteCount: count * 4)
        case .float16: unsafe fs_float16_to_float(source, pointer, count)
        case .bfloat16: unsafe fs_bfloat16_to_float(source, pointer, count)
        }
    }

    /// The elements as little-endian numbers, rounded to nearest even where `type` is narrower.
    package func encoded(as type: ScalarType = .float32) -> [UInt8] {
        let byteCount = count * type.byteCount
        return unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, initialized in
            if let base = buffer.baseAddress {
                let target = UnsafeMutableRawPointer(base)
                switch type {
                case .float32: unsafe target.copyMemory(from: pointer, byteCount: byteCount)
                case .float16: unsafe fs_float_to_float16(pointer, target, count)
                case .bfloat16: unsafe fs_float_to_bfloat16(pointer, target, count)
                }
            }
            initialized = byteCount
        }
    }
}

extension [[UInt8]] {
    /// Bytes of all pieces together.
    package var byteCount: Int { reduce(0) { $0 + $1.count } }
}

/// CRC-32C (Castagnoli, RFC 3720) of `bytes`, continuing `crc`.
package func crc32c(_ bytes: [UInt8], continuing crc: UInt32 = 0) -> UInt32 {
    unsafe bytes.withUnsafeBytes { unsafe fs_crc32c(crc, $0.baseAddress, $0.count) }
}

/// SHA-256 (FIPS 180-4) of the blocks of `bytes` that this CPU hashes side by side.
///
/// - Parameters:
///   - byteCount: of a block, a multiple of 64.
///   - start: where the first block begins.
/// - Returns: 32 bytes for each of as many of the first whole blocks as go in full groups; none on a CPU without
///   AVX-512 or SHA instructions.
package func sha256(ofBlocksOf byteCount: Int, in bytes: [UInt8], from start: Int) -> [UInt8] {
    let groups = (bytes.count - start) / (byteCount * Int(FS_SHA256_BLOCKS))
    let digestByteCount = groups * Int(FS_SHA256_BLOCKS * FS_SHA256_BYTES)
    return unsafe [UInt8](unsafeUninitializedCapacity: digestByteCount) { digests, initialized in
        unsafe bytes.withUnsafeBytes { bytes in
            guard groups > 0, let first = bytes.baseAddress,
                unsafe fs_sha256_blocks(
                    InstructionSet.best,
                    first + start,
                    byteCount,
                    groups,
                    digests.baseAddress
                ) != 0
            else { return }
            initialized = digestByteCount
        }
    }
}
