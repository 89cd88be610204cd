import Foundation

/// The form in which CLIP's tokenizer reads text: composed (NFC) and in lower case.
///
/// Its third rule, white space collapsed to one space, changes no token, as white space only separates words;
/// the rule is left out.
enum TextNormalization {
    static func normalize(_ text: some Sequence<Unicode.Scalar>) -> [Unicode.Scalar] {
        var normalized: [Unicode.Scalar] = []
        for scalar in composed(text) {
            if scalar.isASCII {
                normalized.append(scalar.lowercasedASCII)
            } else {
                // Scalar by scalar: the context a whole string would bring (a final sigma) is not CLIP's.
                normalized.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
            }
        }
        return normalized
    }

    /// The text in normalization form C of Unicode 9, whose tables tokenizers has: what came later neither moves nor
    /// composes.
    private static func composed(_ text: some Sequence<Unicode.Scalar>) -> [Unicode.Scalar] {
        var composed: [Unicode.Scalar] = []
        var run = String.UnicodeScalarView()
        func close() {
            guard !run.isEmpty else { return }
            composed += String(run).precomposedStringWithCanonicalMapping.unicodeScalars
            run = String.UnicodeScalarView()
        }
        for scalar in text {
            if scalar.isNewerThanUnicode9 {
                close()
                composed.append(scalar)
            } else if let marks = tibetanVowels[scalar] {
                run.append(contentsOf: marks)
            } else {
                run.append(scalar)
            }
        }
        close()
        return composed
    }

    /// The only letters that fall apart into marks alone; Foundation leaves the marks of two of them unsorted.
    private static let tibetanVowels: [Unicode.Scalar: [Unicode.Scalar]] = [
        "\u{F73}": ["\u{F71}", "\u{F72}"], "\u{F75}": ["\u{F71}", "\u{F74}"],
        "\u{F81}": ["\u{F71}", "\u{F80}"],
    ]
}

extension Unicode.Scalar {
    fileprivate var lowercasedASCII: Unicode.Scalar {
        ("A"..."Z").contains(self) ? Unicode.Scalar(UInt8(value) + 0x20) : self
    }

    /// True for a scalar without a place in Unicode 9, that is also for one without any.
    fileprivate var isNewerThanUnicode9: Bool {
        // Before the first combining mark there is nothing to compose.
        guard value >= 0x300 else { return false }
        return (properties.age?.major ?? 99) > 9
    }
}
