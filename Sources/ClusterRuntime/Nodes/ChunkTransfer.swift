/// What of some bytes to ask for, and what of what comes to take, where they arrive in pieces, a few at a time.
///
/// Every piece is asked for by itself, so what is on its way never exceeds the window, whatever the other end
/// does. Pieces come in order; one that was lost is asked for again.
struct ChunkTransfer: Sendable {
    /// The largest payload of a message.
    static let pieceByteCount = 1 << 20
    /// Bytes asked for and not yet here, where nothing else is said.
    static let windowByteCount = 4 << 20

    /// The positions wanted.
    let range: Range<Int>
    /// The position of the next byte.
    private(set) var position: Int
    private var asked: Int
    private let window: Int

    /// - Parameter window: bytes asked for and not yet here.
    init(_ range: Range<Int>, window: Int = windowByteCount) {
        precondition(window >= 1, "a transfer with a window of \(window) bytes never begins")
        self.range = range
        self.window = window
        position = range.lowerBound
        asked = range.lowerBound
    }

    /// Whether no piece is left to ask for; the last ones may still be on their way.
    var isAsked: Bool { asked == range.upperBound }

    var isComplete: Bool { position == range.upperBound }

    /// The pieces to ask for now.
    mutating func requests() -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        while asked < range.upperBound, asked - position < window {
            let piece = asked..<min(asked + Self.pieceByteCount, range.upperBound)
            pieces.append(piece)
            asked = piece.upperBound
        }
        return pieces
    }

    /// Whether to take the `byteCount` bytes of a piece; not if it came twice, or one before it was lost.
    mutating func receive(_ byteCount: Int, at offset: Int) -> Bool {
        guard offset == position, byteCount > 0, byteCount <= range.upperBound - position else {
            return false
        }
        position += byteCount
        asked = max(asked, position)
        return true
    }

    /// Asks again for all that has not arrived.
    mutating func rewind() { asked = position }
}
