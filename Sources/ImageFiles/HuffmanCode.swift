/// A code of the tables that T.81 gives as typical (annex K.3), for luminance.
struct HuffmanCode: Sendable {
    struct Word: Sendable {
        var bits: UInt32
        var count: Int
    }

    /// Of the categories of means: table K.3.
    static let differences = HuffmanCode(
        counts: [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
        symbols: Array(0...11)
    )

    /// Of runs of zeros and the category that ends them: table K.5.
    static let coefficients = HuffmanCode(
        counts: [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D],
        symbols: [
            0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07,
            0x22, 0x71,
            0x14, 0x32, 0x81, 0x91, 0xA1, 0x08, 0x23, 0x42, 0xB1, 0xC1, 0x15, 0x52, 0xD1, 0xF0, 0x24, 0x33,
            0x62, 0x72,
            0x82,
        ] + rest
    )

    /// The symbols of 16 bits behind the first, in order: every run of zeros with the categories that have no shorter word.
    private static let rest: [UInt8] = (0...15).flatMap { (run: UInt8) -> [UInt8] in
        let shortest: UInt8 =
            switch run {
            case 0: 9
            case 1: 6
            case 2: 5
            case 3: 4
            case 4...8: 3
            case 9...13: 2
            default: 1
            }
        return (shortest...10).map { run << 4 | $0 }
    }

    /// How many words have 1, 2, … 16 bits.
    private let counts: [UInt8]
    /// What the words stand for, the shortest first.
    private let symbols: [UInt8]
    private let words: [Word?]

    private init(counts: [UInt8], symbols: [UInt8]) {
        self.counts = counts
        self.symbols = symbols
        var words = [Word?](repeating: nil, count: 256)
        var next: UInt32 = 0
        var rest = symbols[...]
        for (index, count) in counts.enumerated() {
            for symbol in rest.prefix(Int(count)) {
                words[Int(symbol)] = Word(bits: next, count: index + 1)
                next += 1
            }
            rest = rest.dropFirst(Int(count))
            next <<= 1
        }
        precondition(rest.isEmpty, "every symbol has a word")
        self.words = words
    }

    /// The word of a symbol that the code has.
    subscript(symbol: Int) -> Word {
        guard let word = words[symbol] else { preconditionFailure("no word for symbol \(symbol)") }
        return word
    }

    /// The code as a file defines it.
    var definition: [UInt8] { counts + symbols }
}
