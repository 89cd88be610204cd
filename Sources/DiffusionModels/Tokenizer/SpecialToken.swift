/// A token that is found in a text as a whole, before words are made.
struct SpecialToken: Sendable, Equatable {
    /// The scalars it is written with, not empty.
    let content: [Unicode.Scalar]
    let token: Int
    /// True when the token counts only where no letter, digit or underscore touches it.
    var isSingleWord = false
}

/// A stretch of a text: a special token, or what lies between two.
enum TextSegment: Equatable {
    case token(Int)
    case text(ArraySlice<Unicode.Scalar>)
}

/// Finds special tokens in a text: the leftmost first, of those that start together the longest.
struct SpecialTokenMatcher: Sendable {
    private let tokensByFirstScalar: [Unicode.Scalar: [SpecialToken]]

    init(_ tokens: [SpecialToken]) {
        precondition(tokens.allSatisfy { !$0.content.isEmpty }, "a special token is written with something")
        let longestFirst = tokens.sorted { $0.content.count > $1.content.count }
        tokensByFirstScalar = Dictionary(grouping: longestFirst) { $0.content[0] }
    }

    /// The text cut at its special tokens, in order; no stretch of text is empty.
    func segments(of text: ArraySlice<Unicode.Scalar>) -> [TextSegment] {
        var segments: [TextSegment] = []
        var start = text.startIndex
        var index = start
        while index < text.endIndex {
            let rest = text[index...]
            guard
                let match = tokensByFirstScalar[text[index]]?.first(where: { rest.starts(with: $0.content) })
            else {
                index += 1
                continue
            }
            let end = index + match.content.count
            if match.isSingleWord, Self.isTouched(text, index..<end) {
                index = end
                continue
            }
            if start < index { segments.append(.text(text[start..<index])) }
            segments.append(.token(match.token))
            index = end
            start = index
        }
        if start < index { segments.append(.text(text[start..<index])) }
        return segments
    }

    private static func isTouched(_ text: ArraySlice<Unicode.Scalar>, _ range: Range<Int>) -> Bool {
        let neighbours = text[..<range.lowerBound].suffix(1) + text[range.upperBound...].prefix(1)
        return neighbours.contains {
            $0 == "_" || $0.properties.isAlphabetic || $0.properties.numericType != nil
        }
    }

    /// The matchers of a folder's tokens: for the text as it was given, and for the normalized text.
    static func pair(
        _ stated: [Int: StatedToken],
        normalize: (String.UnicodeScalarView) -> [Unicode.Scalar]
    ) -> (raw: SpecialTokenMatcher, normalized: SpecialTokenMatcher) {
        func matcher(normalized: Bool) -> SpecialTokenMatcher {
            let tokens = stated.filter { $1.isNormalized == normalized }.map { number, token in
                let scalars = token.content.unicodeScalars
                return SpecialToken(
                    content: normalized ? normalize(scalars) : Array(scalars),
                    token: number,
                    isSingleWord: token.isSingleWord
                )
            }
            return SpecialTokenMatcher(tokens.filter { !$0.content.isEmpty })
        }
        return (matcher(normalized: false), matcher(normalized: true))
    }
}
