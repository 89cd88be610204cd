import Foundation

/// The form in which CLIP's tokenizer reads text: composed (NFC) and in lower case.
///
/// Its third rule, white space collapsed to one space, changes no token, as white space only separates words;
/// the rule is left out.
enum TextNormalization {
    static func normalize(_ text: some Sequence<Unicode.Scalar>) -> [Unicode.Scalar] {
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: text)
        let composed = String(scalars).precomposedStringWithCanonicalMapping
        var normalized: [Unicode.Scalar] = []
        normalized.reserveCapacity(composed.unicodeScalars.count)
        for scalar in composed.unicodeScalars {
            if scalar.isASCII {
                normalized.append(scalar.lowercasedASCII)
            } else {
                // Scalar by scalar: the context a whole string would bring (a final sigma) is not CLIP's.
                normalized.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
            }
        }
        return normalized
    }
}

extension Unicode.Scalar {
    fileprivate var lowercasedASCII: Unicode.Scalar {
        ("A"..."Z").contains(self) ? Unicode.Scalar(UInt8(value) + 0x20) : self
    }
}
