extension Duration {
    /// Whole milliseconds, within what the wire holds (49 days).
    var wholeMilliseconds: UInt32 {
        let clamped = Swift.min(Swift.max(self, .zero), .milliseconds(Int64(UInt32.max)))
        let (seconds, attoseconds) = clamped.components
        return UInt32(seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }

    /// Whole microseconds, within what the wire holds (8.9 years).
    var wholeMicroseconds: UInt64 {
        let clamped = Swift.min(Swift.max(self, .zero), .microseconds(Int64(largestNumber)))
        let (seconds, attoseconds) = clamped.components
        return UInt64(seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
    }
}

extension String {
    /// Whether this is a CURVE key in Z85: 40 characters of its alphabet (ZeroMQ RFC 32).
    var isPublicKey: Bool {
        utf8.count == TextBound.publicKeyByteCount && utf8.allSatisfy(z85Alphabet.contains)
    }

    /// The first characters, as many as fit into so many bytes of UTF-8.
    func prefix(byteCount: Int) -> Substring {
        guard var end = utf8.index(startIndex, offsetBy: byteCount, limitedBy: endIndex) else {
            return Substring(self)
        }
        while end.samePosition(in: self) == nil { end = utf8.index(before: end) }
        return self[..<end]
    }
}

private let z85Alphabet = Set(
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#".utf8
)
