import ClusterMessages
import Tensors

/// Which numbers of a round's offers each member of a ring averages: of every segment, in whole blocks of
/// ``ByteBlocks``, as equal runs as there can be.
struct RingPartition: Sendable {
    /// Numbers of one segment.
    struct Piece: Sendable, Equatable {
        /// Its place among the segments.
        let segment: Int
        let numbers: Range<Int>
    }

    /// Numbers that are at hand at once, of all members' offers together: 64 MiB of 32-bit floats.
    private static let handCount = 1 << 24
    private static let blockCount = ByteBlocks.numberCount

    /// What offers consist of, in order.
    let segments: [Message.ParameterSegment]
    let memberCount: Int

    /// The numbers of a segment that are a member's.
    func numbers(of segment: Int, for member: Int) -> Range<Int> {
        let count = segments[segment].elementCount
        let blocks = (count + Self.blockCount - 1) / Self.blockCount
        func end(_ member: Int) -> Int { min(count, blocks * member / memberCount * Self.blockCount) }
        return end(member)..<end(member + 1)
    }

    /// A member's numbers, cut into pieces that can be at hand at once.
    func pieces(for member: Int) -> [Piece] {
        let blocks = min(1 << 20, Self.handCount / memberCount) / Self.blockCount
        let count = max(1, blocks) * Self.blockCount
        return segments.indices.flatMap { segment in
            let own = numbers(of: segment, for: member)
            return stride(from: own.lowerBound, to: own.upperBound, by: count).map { start in
                Piece(segment: segment, numbers: start..<min(own.upperBound, start + count))
            }
        }
    }

    /// Where a piece lies in an offer.
    func bytes(of piece: Piece) -> Range<Int> {
        let start = segments[..<piece.segment].reduce(0) { $0 + $1.byteCount }
        let encoding = segments[piece.segment].encoding
        let first = start + encoding.byteCount(of: piece.numbers.lowerBound)
        return first..<first + encoding.byteCount(of: piece.numbers.count)
    }

    var offerByteCount: Int { segments.reduce(0) { $0 + $1.byteCount } }

    /// Bytes of a member's share of the mean.
    func meanByteCount(for member: Int) -> Int {
        segments.indices.reduce(0) {
            $0 + numbers(of: $1, for: member).count * ScalarType.float32.byteCount
        }
    }
}
