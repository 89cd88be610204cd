/// Reads the fields of one protocol buffer message, in the order they are written (the encoding's guide:
/// protobuf.dev/programming-guides/encoding).
///
/// Nothing is trusted: a field that leaves the message, a number of more than 64 bits, or a wire type that is no
/// longer in use ends the reading with an error that gives the byte.
struct ProtocolBufferReader {
    /// What a field holds, by its wire type.
    enum Value {
        /// Wire type 0.
        case number(UInt64)
        /// Wire type 5, 32 bits.
        case bits(UInt32)
        /// Wire type 2: text, bytes or a message.
        case bytes(ArraySlice<UInt8>)
        /// Wire type 1, of which nothing is read here.
        case skipped
    }

    struct Problem: Error {
        /// Where in the file, counted from 0.
        let byte: Int
        let text: String
    }

    private let bytes: ArraySlice<UInt8>
    private var index: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        index = bytes.startIndex
    }

    /// The next field, nil at the message's end.
    mutating func next() throws(Problem) -> (field: Int, value: Value)? {
        guard index < bytes.endIndex else { return nil }
        let start = index
        let key = try number()
        guard key >> 3 >= 1, key >> 3 < 1 << 29 else { throw Problem(byte: start, text: "no field number") }
        let value: Value
        switch key & 7 {
        case 0: value = .number(try number())
        case 1:
            _ = try take(8)
            value = .skipped
        case 2:
            let length = try number()
            guard length <= UInt64(bytes.endIndex - index) else {
                throw Problem(byte: start, text: "a field of \(length) bytes leaves its message")
            }
            value = .bytes(try take(Int(length)))
        case 5: value = .bits(try take(4).reversed().reduce(0) { $0 << 8 | UInt32($1) })
        default: throw Problem(byte: start, text: "wire type \(key & 7)")
        }
        return (Int(key >> 3), value)
    }

    private mutating func take(_ count: Int) throws(Problem) -> ArraySlice<UInt8> {
        guard count <= bytes.endIndex - index else {
            throw Problem(byte: index, text: "the message ends early")
        }
        defer { index += count }
        return bytes[index..<index + count]
    }

    /// Seven bits a byte, the least significant first; the last byte is the first below 128.
    private mutating func number() throws(Problem) -> UInt64 {
        let start = index
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            let byte = try take(1).reduce(0) { $1 | $0 }
            guard shift < 63 || byte <= 1 else { break }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw Problem(byte: start, text: "a number of more than 64 bits")
    }
}
