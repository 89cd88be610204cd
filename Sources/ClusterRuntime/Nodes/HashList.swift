import ClusterMessages
import Crypto
import Tensors

/// The hash of what nodes fetch from each other whole: SHA-256 of the SHA-256s of its blocks, one behind the other.
///
/// Blocks are hashed side by side where the CPU can, up to twice as fast as all bytes one behind the other.
struct HashList {
    /// Bytes of a block; the last may have fewer.
    static let blockByteCount = 4 << 10

    private var top = SHA256()
    private var block = SHA256()
    /// Bytes of the block that has begun.
    private var begun = 0

    /// Takes the next bytes, of any count.
    mutating func update(_ bytes: [UInt8]) {
        var position = 0
        while position < bytes.count {
            if begun == 0 {
                let digests = sha256(ofBlocksOf: Self.blockByteCount, in: bytes, from: position)
                top.update(data: digests)
                position += digests.count / SHA256.byteCount * Self.blockByteCount
            }
            let piece = bytes[position...].prefix(Self.blockByteCount - begun)
            block.update(data: piece)
            begun += piece.count
            position += piece.count
            if begun == Self.blockByteCount { endBlock() }
        }
    }

    /// The hash of all bytes so far.
    var hash: ContentHash {
        var list = self
        if begun > 0 { list.endBlock() }
        return ContentHash(list.top)
    }

    private mutating func endBlock() {
        top.update(data: Array(block.finalize()))
        block = SHA256()
        begun = 0
    }
}

extension HashList {
    /// The hash of `bytes`.
    static func hash(of bytes: [UInt8]) -> ContentHash {
        var list = Self()
        list.update(bytes)
        return list.hash
    }
}
