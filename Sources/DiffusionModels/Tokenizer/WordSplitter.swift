/// Cuts normalized text into the words that CLIP encodes one by one.
///
/// The words are, tried in this order at every place: a contraction ('s 't 're 've 'm 'll 'd), a run of
/// letters, one number character, a run of anything else that is not white space. White space only separates.
/// This is the pattern `'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+` without a pattern engine.
struct WordSplitter {
    private enum Kind {
        case letter, number, space, other
    }

    private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].map {
        Array($0.unicodeScalars)
    }

    /// The special tokens of OpenAI's CLIP, in the three words they become where a text spells one that is
    /// none here.
    ///
    /// They stand first in the pattern, and a second pattern then cuts them; the word after one starts
    /// afresh.
    private static let spelledTokens = ["startoftext", "endoftext"].map { name in
        ["<|", name, "|>"].map { Array($0.unicodeScalars) }
    }

    /// The words of a normalized text, in order.
    static func words(of text: ArraySlice<Unicode.Scalar>) -> [ArraySlice<Unicode.Scalar>] {
        let kinds = text.map(kind(of:))
        var words: [ArraySlice<Unicode.Scalar>] = []
        var index = text.startIndex
        func take(_ count: Int) {
            words.append(text[index..<index + count])
            index += count
        }
        while index < text.endIndex {
            let rest = text[index...]
            let kind = kinds[index - text.startIndex]
            switch kind {
            case .space:
                index += 1
            case .number:
                take(1)
            case .letter:
                take(kinds[(index - text.startIndex)...].prefix { $0 == .letter }.count)
            case .other:
                if let contraction = contractions.first(where: rest.starts(with:)) {
                    take(contraction.count)
                } else if let token = spelledTokens.first(where: { rest.starts(with: $0.joined()) }) {
                    token.forEach { take($0.count) }
                } else {
                    take(kinds[(index - text.startIndex)...].prefix { $0 == .other }.count)
                }
            }
        }
        return words
    }

    private static func kind(of scalar: Unicode.Scalar) -> Kind {
        switch scalar {
        case "a"..."z", "A"..."Z": return .letter
        case "0"..."9": return .number
        default: break
        }
        if scalar.properties.isWhitespace { return .space }
        // The pattern's engine knows Unicode 16; what came later is nothing to it.
        guard let age = scalar.properties.age, age.major <= 16 else { return .other }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            return .letter
        case .decimalNumber, .letterNumber, .otherNumber: return .number
        default: return .other
        }
    }
}
