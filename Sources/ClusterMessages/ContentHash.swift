/// A SHA-256 by which trajectories, offers, manifests and files are named: of their bytes, or of hashes of their parts.
///
/// Encoded as 64 lower-case hexadecimal digits in JSON and YAML; ordered like them.
package struct ContentHash: Sendable, Hashable {
    /// Bytes of a hash.
    package static let byteCount = 32

    /// The hash as four big-endian words, so that it needs no allocation.
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// Wraps exactly 32 bytes, for example a `SHA256Digest`; nil for any other count.
    package init?(_ bytes: some Sequence<UInt8>) {
        var words: [UInt64] = [0, 0, 0, 0]
        var count = 0
        for byte in bytes {
            guard count < Self.byteCount else { return nil }
            words[count / 8] = words[count / 8] << 8 | UInt64(byte)
            count += 1
        }
        guard count == Self.byteCount else { return nil }
        self.words = (words[0], words[1], words[2], words[3])
    }

    /// Reads 64 hexadecimal digits of either case; nil for anything else.
    package init?(hexadecimal text: String) {
        guard text.utf8.count == 2 * Self.byteCount else { return nil }
        var nibbles: [UInt8] = []
        for character in text.unicodeScalars {
            guard character.isASCII, let value = Character(character).hexDigitValue else { return nil }
            nibbles.append(UInt8(value))
        }
        self.init(stride(from: 0, to: nibbles.count, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] })
    }

    /// The 32 bytes.
    package var bytes: [UInt8] {
        let bigEndian = (
            words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian
        )
        return unsafe withUnsafeBytes(of: bigEndian) { unsafe Array($0) }
    }

    /// The first eight hexadecimal digits, for a person's eye.
    package var abbreviated: String { String(description.prefix(8)) }

    /// Equal when all 32 bytes are.
    package static func == (left: ContentHash, right: ContentHash) -> Bool { left.words == right.words }

    /// Feeds the first words, random enough already, to the hasher.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
    }
}

extension ContentHash: Comparable {
    /// The order of the bytes from first to last.
    package static func < (left: ContentHash, right: ContentHash) -> Bool { left.words < right.words }
}

extension ContentHash: CustomStringConvertible {
    /// 64 lower-case hexadecimal digits.
    package var description: String {
        hexadecimal(words.0) + hexadecimal(words.1) + hexadecimal(words.2) + hexadecimal(words.3)
    }
}

extension ContentHash: Codable {
    /// Reads the hexadecimal digits.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let hash = ContentHash(hexadecimal: text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "a content hash is 64 hexadecimal digits, got \(text.prefix(80))"
            )
        }
        self = hash
    }

    /// Writes the hexadecimal digits.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
