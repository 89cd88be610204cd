/// SentencePiece's precompiled normalization rules (`nmt_nfkc` for T5), applied as the library tokenizers does.
///
/// The rules are a double-array trie over UTF-8 (Darts; Aoe 1989) from what is replaced to places in one text
/// of replacements, each ended by a zero byte. Layout: byte count of the trie, 32 bits; the trie's units of 32 bits;
/// the replacements; all little-endian.
struct CharacterMap: Sendable {
    /// Clusters of so many bytes or more are replaced scalar by scalar.
    private static let longClusterByteCount = 6

    private let units: [UInt32]
    private let replacements: [UInt8]

    /// - Throws: a ``ModelError`` that names `path` where the bytes do not hold what their first four say.
    init(_ bytes: [UInt8], path: String) throws(ModelError) {
        func unit(_ index: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[4 * index + $1]) << (8 * UInt32($1)) }
        }
        let byteCount = bytes.count >= 4 ? Int(unit(0)) : 0
        guard byteCount >= 4, byteCount % 4 == 0, byteCount <= bytes.count - 4 else {
            throw .badFile(path: path, reason: "precompiled_charsmap: \(bytes.count) bytes hold no trie")
        }
        units = (1...byteCount / 4).map(unit)
        replacements = Array(bytes[(4 + byteCount)...])
        guard String(validating: replacements, as: UTF8.self) != nil else {
            throw .badFile(path: path, reason: "precompiled_charsmap: the replacements are not UTF-8")
        }
    }

    /// The text with every rule applied.
    ///
    /// A short grapheme cluster of which a rule replaces the beginning is replaced as a whole; elsewhere every scalar
    /// is looked up by itself. This is what tokenizers does, and what its users' token numbers rest on.
    func normalize(_ text: some Sequence<Unicode.Scalar>) -> [Unicode.Scalar] {
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: text)
        var normalized: [Unicode.Scalar] = []
        for cluster in String(scalars) {
            if cluster.utf8.count < Self.longClusterByteCount, let text = replacement(of: cluster.utf8) {
                normalized += text
            } else {
                for scalar in cluster.unicodeScalars {
                    normalized += replacement(of: UTF8.encode(scalar) ?? .init()) ?? [scalar]
                }
            }
        }
        return normalized
    }

    /// What the shortest rule that `bytes` begin with puts in the place of all of them; nil without such a rule.
    private func replacement(of bytes: some Sequence<UInt8>) -> [Unicode.Scalar]? {
        var node = offset(of: units[0])
        for byte in bytes {
            if byte == 0 { return nil }
            node ^= Int(byte)
            guard node < units.count else { return nil }
            let unit = units[node]
            // The label has the leaf bit, so that a leaf matches no byte.
            guard unit & (1 << 31 | 0xFF) == UInt32(byte) else { return nil }
            node ^= offset(of: unit)
            guard node < units.count else { return nil }
            if unit >> 8 & 1 == 1 { return text(at: Int(units[node] & 0x7FFF_FFFF)) }
        }
        return nil
    }

    private func offset(of unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 1 << 9) >> 6) }

    private func text(at place: Int) -> [Unicode.Scalar]? {
        guard place < replacements.count else { return [] }
        let text = replacements[place...].prefix { $0 != 0 }
        return Array(String(decoding: text, as: UTF8.self).unicodeScalars)
    }
}
