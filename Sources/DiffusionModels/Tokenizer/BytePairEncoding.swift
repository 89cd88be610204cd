/// Byte-pair encoding of one word at a time, over token numbers rather than text.
///
/// A word starts as its bytes, the last one marked as the word's end; then, as long as two neighbours have a
/// merge rule, the rule of the lowest rank is applied everywhere in the word, from left to right (Sennrich,
/// Haddow & Birch 2016).
struct BytePairEncoding: Sendable {
    /// What marks a word's last byte in the vocabulary's file.
    static let endOfWord = "</w>"

    private struct Pair: Hashable {
        let left: Int
        let right: Int
    }

    private struct Merge {
        let rank: Int
        let token: Int
    }

    /// Tokens of the 256 bytes inside a word.
    private let innerTokens: [Int]
    /// Tokens of the 256 bytes at a word's end.
    private let finalTokens: [Int]
    private let merges: [Pair: Merge]

    /// Translates vocabulary and rules to token numbers.
    ///
    /// - Parameters:
    ///   - rules: in order of rank.
    ///   - unknown: the token of bytes that the vocabulary lacks.
    /// - Throws: when a rule names, or makes, a token that the vocabulary lacks.
    init(vocabulary: [String: Int], rules: MergeRules, unknown: Int) throws(ModelError) {
        innerTokens = ByteAlphabet.characters.map { vocabulary[$0] ?? unknown }
        finalTokens = ByteAlphabet.characters.map { vocabulary[$0 + Self.endOfWord] ?? unknown }
        var merges: [Pair: Merge] = [:]
        merges.reserveCapacity(rules.rules.count)
        for (rank, rule) in rules.rules.enumerated() {
            guard let left = vocabulary[rule.left], let right = vocabulary[rule.right],
                let token = vocabulary[rule.left + rule.right]
            else {
                throw rules.error(
                    inLine: rule.line,
                    "the vocabulary lacks \(rule.left), \(rule.right) or what they make"
                )
            }
            merges[Pair(left: left, right: right)] = Merge(rank: rank, token: token)
        }
        self.merges = merges
    }

    /// The tokens of one word, given by its UTF-8 bytes.
    func encode(_ word: [UInt8]) -> [Int] {
        guard let last = word.last else { return [] }
        var symbols = word.dropLast().map { innerTokens[Int($0)] } + [finalTokens[Int(last)]]
        var candidates = zip(symbols, symbols.dropFirst()).map { merge($0, $1) }
        while let best = candidates.lazy.compactMap(\.?.rank).min() {
            (symbols, candidates) = applying(rank: best, to: symbols, candidates)
        }
        return symbols
    }

    /// One rule applied to a whole word.
    ///
    /// - Parameter candidates: the rule, if any, of every symbol with its right neighbour. Only those beside
    ///   a merge are looked up again, so that the work on a long word stays small.
    private func applying(
        rank: Int,
        to symbols: [Int],
        _ candidates: [Merge?]
    ) -> (symbols: [Int], candidates: [Merge?]) {
        var result: (symbols: [Int], candidates: [Merge?]) = ([], [])
        result.symbols.reserveCapacity(symbols.count)
        result.candidates.reserveCapacity(candidates.count)
        var index = 0
        var followsMerge = false
        while index < symbols.count {
            let candidate = index < candidates.count ? candidates[index] : nil
            let applied = candidate.flatMap { $0.rank == rank ? $0 : nil }
            let symbol = applied?.token ?? symbols[index]
            if let left = result.symbols.last {
                let isNew = followsMerge || applied != nil
                result.candidates.append(isNew ? merge(left, symbol) : candidates[index - 1])
            }
            result.symbols.append(symbol)
            followsMerge = applied != nil
            index += applied == nil ? 1 : 2
        }
        return result
    }

    private func merge(_ left: Int, _ right: Int) -> Merge? { merges[Pair(left: left, right: right)] }
}
