import ClusterMessages
import Synchronization

/// What a trainer holds for a ring: its offer, while the round is not committed, and its share of the last mean.
final class RingShelf: HeldByHash {
    /// A share of a mean.
    struct Share: HeldBytes {
        /// Its member's place in the ring.
        let member: Int
        /// The bytes' ``HashList/hash``.
        let hash: ContentHash
        let bytes: [UInt8]

        var byteCount: Int { bytes.count }

        func piece(in range: Range<Int>) -> [UInt8] {
            Array(bytes[range.prefix(ChunkTransfer.pieceByteCount)])
        }
    }

    private let held = Mutex<(offer: LocalOffer?, share: Share?)>((nil, nil))

    var offer: LocalOffer? {
        get { held.withLock { $0.offer } }
        set { held.withLock { $0.offer = newValue } }
    }

    var share: Share? {
        get { held.withLock { $0.share } }
        set { held.withLock { $0.share = newValue } }
    }

    func holding(_ hash: ContentHash) -> (any HeldBytes)? {
        held.withLock { held in
            if let offer = held.offer, offer.hash == hash { return offer }
            if let share = held.share, share.hash == hash { return share }
            return nil
        }
    }
}

extension LocalOffer: HeldBytes {
    var byteCount: Int { parts.reduce(0) { $0 + $1.bytes.count } }

    /// The bytes from a position on, as the parts lie one behind the other: up to the end of the part it is in.
    func piece(in range: Range<Int>) -> [UInt8] {
        var start = 0
        for part in parts {
            let end = start + part.bytes.count
            if range.lowerBound < end {
                let wanted = range.clamped(to: start..<end).prefix(ChunkTransfer.pieceByteCount)
                return Array(part.bytes[wanted.lowerBound - start..<wanted.upperBound - start])
            }
            start = end
        }
        return []
    }
}
