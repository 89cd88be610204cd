/// Why a header is not one, and at which of its bytes that shows.
struct HeaderFlaw: Error {
    let reason: String
}

/// Reads the subset of JSON (RFC 8259) that safetensors headers are made of, byte by byte.
///
/// A general parser would not do: it keeps one of two equal keys silently, and the format forbids them.
struct HeaderScanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Consumes the `{` of an object.
    mutating func beginObject() throws(HeaderFlaw) { try expect("{") }

    /// Consumes up to and with the colon behind the next key; nil when the object ends.
    mutating func nextKey(isFirst: Bool) throws(HeaderFlaw) -> String? {
        if try endsOrContinues(with: "}", isFirst: isFirst) { return nil }
        let key = try string()
        try expect(":")
        return key
    }

    /// Consumes an array of integers that are not negative.
    mutating func integers() throws(HeaderFlaw) -> [Int] {
        try expect("[")
        var numbers: [Int] = []
        while try !endsOrContinues(with: "]", isFirst: numbers.isEmpty) { numbers.append(try integer()) }
        return numbers
    }

    /// Consumes a string.
    mutating func string() throws(HeaderFlaw) -> String {
        try expect("\"")
        var text: [UInt8] = []
        while true {
            let byte = try next()
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw flaw("a string is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"): text += try escape()
            case 0..<0x20: throw flaw("a control character stands in a string")
            default: text.append(byte)
            }
        }
    }

    /// Consumes the padding behind the outermost object; anything else there is an error.
    mutating func end() throws(HeaderFlaw) {
        skipSpace()
        if position < bytes.count { throw flaw("something stands behind the header's end") }
    }

    /// An error at the place reached.
    func flaw(_ reason: String) -> HeaderFlaw {
        HeaderFlaw(reason: "\(reason) (header byte \(position))")
    }
}

// MARK: - Parts

extension HeaderScanner {
    private mutating func next() throws(HeaderFlaw) -> UInt8 {
        guard position < bytes.count else { throw flaw("the header ends too early") }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(HeaderFlaw) {
        skipSpace()
        let found = try next()
        guard found == UInt8(ascii: character) else {
            position -= 1
            throw flaw("'\(character)' expected")
        }
    }

    /// True, and past `end`, when the list ends here; else past the comma, if one is due.
    private mutating func endsOrContinues(
        with end: Unicode.Scalar,
        isFirst: Bool
    ) throws(HeaderFlaw) -> Bool {
        skipSpace()
        if position < bytes.count, bytes[position] == UInt8(ascii: end) {
            position += 1
            return true
        }
        if !isFirst { try expect(",") }
        return false
    }

    private mutating func integer() throws(HeaderFlaw) -> Int {
        skipSpace()
        let start = position
        var number = 0
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            let tens = number.multipliedReportingOverflow(by: 10)
            let sum = tens.partialValue.addingReportingOverflow(Int(bytes[position] - UInt8(ascii: "0")))
            guard !tens.overflow, !sum.overflow else { throw flaw("a number is too large") }
            number = sum.partialValue
            position += 1
        }
        guard position > start else { throw flaw("an integer expected") }
        guard bytes[start] != UInt8(ascii: "0") || position == start + 1 else {
            throw flaw("a number begins with 0")
        }
        return number
    }

    /// The UTF-8 of the character behind a backslash.
    private mutating func escape() throws(HeaderFlaw) -> [UInt8] {
        switch UnicodeScalar(try next()) {
        case "\"": [0x22]
        case "\\": [0x5C]
        case "/": [0x2F]
        case "b": [0x08]
        case "f": [0x0C]
        case "n": [0x0A]
        case "r": [0x0D]
        case "t": [0x09]
        case "u": Array(String(try escapedScalar()).utf8)
        default: throw flaw("an unknown escape stands in a string")
        }
    }

    /// The scalar of `XXXX` or of a surrogate pair `XXXX\uXXXX`.
    private mutating func escapedScalar() throws(HeaderFlaw) -> UnicodeScalar {
        let first = try fourHexDigits()
        if let scalar = UnicodeScalar(first) { return scalar }
        guard first < 0xDC00, try next() == UInt8(ascii: "\\"), try next() == UInt8(ascii: "u") else {
            throw flaw("a surrogate stands alone")
        }
        let second = try fourHexDigits()
        guard (0xDC00...0xDFFF).contains(second) else { throw flaw("a surrogate stands alone") }
        let value = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
        guard let scalar = UnicodeScalar(value) else { throw flaw("a surrogate pair is no character") }
        return scalar
    }

    private mutating func fourHexDigits() throws(HeaderFlaw) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = Character(UnicodeScalar(try next())).hexDigitValue else {
                throw flaw("four hexadecimal digits expected")
            }
            value = value << 4 | UInt16(digit)
        }
        return value
    }
}
