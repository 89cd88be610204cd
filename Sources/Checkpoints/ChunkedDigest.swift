import Crypto
import FoundationEssentials
import Tensors

/// The running SHA-256 of a file and CRC-32C of each of its chunks.
struct ChunkedDigest {
    let chunkByteCount: Int
    private var running = SHA256()
    private var finishedChecksums: [UInt32] = []
    private var checksum: UInt32 = 0
    private(set) var byteCount = 0

    init(chunkByteCount: Int) {
        self.chunkByteCount = chunkByteCount
    }

    /// Takes the next bytes, of any count.
    mutating func update(_ bytes: [UInt8]) {
        running.update(data: bytes)
        var start = 0
        while start < bytes.count {
            let room = chunkByteCount - byteCount % chunkByteCount
            let piece = bytes[start..<min(bytes.count, start + room)]
            checksum = crc32c(Array(piece), continuing: checksum)
            byteCount += piece.count
            start += piece.count
            if byteCount % chunkByteCount == 0 {
                finishedChecksums.append(checksum)
                checksum = 0
            }
        }
    }

    /// SHA-256 of all bytes so far.
    var digest: ContentDigest { ContentDigest(running) }

    /// CRC-32C of each chunk so far; the last may be shorter than the others.
    var checksums: [UInt32] {
        byteCount % chunkByteCount == 0 ? finishedChecksums : finishedChecksums + [checksum]
    }
}
