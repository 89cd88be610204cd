/// Cuts words into the most probable pieces (Kudo 2018, "Subword Regularization"), token for token as the library
/// tokenizers.
struct UnigramModel: Sendable {
    /// How much less probable an unknown character is than the least probable piece, in logarithms.
    private static let unknownPenalty = 10.0

    private struct Leaf {
        let token: Int
        let score: Double
    }

    /// What the best way to a place in a word ends with.
    private struct Arrival {
        var token: Int
        var score: Double
        /// Where the piece begins; nil where no way leads here yet.
        var start: Int?
    }

    /// Children of the trie's nodes, by node and byte; the root is 0.
    private let children: [Int: Int32]
    private let leaves: [Leaf?]
    private let unknown: Int
    private let unknownScore: Double
    /// The pieces of the 256 bytes; nil where unknown characters become the unknown piece.
    private let byteTokens: [Int]?

    /// - Parameter unknown: the piece of characters that the vocabulary lacks.
    init(_ vocabulary: UnigramVocabulary, unknown: Int, fallsBackToBytes: Bool) {
        var children: [Int: Int32] = [:]
        children.reserveCapacity(4 * vocabulary.pieces.count)
        var leaves: [Leaf?] = [nil]
        for (token, piece) in vocabulary.pieces.enumerated() where !piece.text.isEmpty {
            var node = 0
            for byte in piece.text {
                let key = node << 8 | Int(byte)
                if let child = children[key] {
                    node = Int(child)
                } else {
                    children[key] = Int32(leaves.count)
                    node = leaves.count
                    leaves.append(nil)
                }
            }
            leaves[node] = Leaf(token: token, score: piece.score)
        }
        self.children = children
        self.leaves = leaves
        self.unknown = unknown
        unknownScore = (vocabulary.pieces.map(\.score).min() ?? 0) - Self.unknownPenalty
        byteTokens = fallsBackToBytes ? Self.byteTokens(of: vocabulary) : nil
    }

    /// The tokens of one word, given by its UTF-8 bytes.
    func encode(_ word: [UInt8]) -> [Int] {
        let arrivals = bestArrivals(word)
        var tokens: [Int] = []
        var end = word.count
        // From the end back; unknown characters side by side become one token.
        var unknownEnd: Int?
        func closeUnknown(at start: Int) {
            if let end = unknownEnd { tokens += unknownTokens(word[start..<end]).reversed() }
            unknownEnd = nil
        }
        while end > 0, let start = arrivals[end].start {
            if arrivals[end].token == unknown {
                unknownEnd = unknownEnd ?? end
            } else {
                closeUnknown(at: end)
                tokens.append(arrivals[end].token)
            }
            end = start
        }
        closeUnknown(at: end)
        return tokens.reversed()
    }

    /// The best ways to every place of a word (Viterbi); of two equally good ones the one found first.
    private func bestArrivals(_ word: [UInt8]) -> [Arrival] {
        var arrivals = [Arrival](
            repeating: Arrival(token: unknown, score: 0, start: nil),
            count: word.count + 1
        )
        func offer(_ token: Int, _ score: Double, from start: Int, to end: Int) {
            guard arrivals[end].start == nil || score > arrivals[end].score else { return }
            arrivals[end] = Arrival(token: token, score: score, start: start)
        }
        var start = 0
        while start < word.count {
            let score = arrivals[start].score
            let next = start + Self.scalarByteCount(word[start])
            var hasScalar = false
            var node = 0
            for end in start..<word.count {
                guard let child = children[node << 8 | Int(word[end])] else { break }
                node = Int(child)
                guard let leaf = leaves[node] else { continue }
                offer(leaf.token, leaf.score + score, from: start, to: end + 1)
                hasScalar = hasScalar || end + 1 == next
            }
            if !hasScalar, next <= word.count { offer(unknown, unknownScore + score, from: start, to: next) }
            start = next
        }
        return arrivals
    }

    private func unknownTokens(_ bytes: ArraySlice<UInt8>) -> [Int] {
        byteTokens.map { tokens in bytes.map { tokens[Int($0)] } } ?? [unknown]
    }

    /// The pieces `<0x00>` … `<0xFF>`; nil unless all are there.
    private static func byteTokens(of vocabulary: UnigramVocabulary) -> [Int]? {
        let numbers = Dictionary(vocabulary.pieces.enumerated().map { ($1.text, $0) }) { $1 }
        let digits = Array("0123456789ABCDEF".utf8)
        let tokens = (0..<256).compactMap { byte in
            numbers[Array("<0x".utf8) + [digits[byte >> 4], digits[byte & 15]] + Array(">".utf8)]
        }
        return tokens.count == 256 ? tokens : nil
    }

    private static func scalarByteCount(_ first: UInt8) -> Int {
        switch first {
        case ..<0xC0: 1
        case ..<0xE0: 2
        case ..<0xF0: 3
        default: 4
        }
    }
}
