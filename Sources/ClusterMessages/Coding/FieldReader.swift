import CClusterProto

/// Checks the fields of one unpacked message; every error names the message and the field.
struct FieldReader {
    let message: String
    /// The raw bytes that came beside the message.
    let payload: [UInt8]

    func invalid(_ field: String, expected: String, actual: String) -> WireError {
        .invalidField(message: message, field: field, expected: expected, actual: actual)
    }

    // MARK: Numbers

    func number(_ value: UInt64, _ field: String) throws(WireError) -> UInt64 {
        guard value <= largestNumber else {
            throw invalid(field, expected: "at most \(largestNumber)", actual: "\(value)")
        }
        return value
    }

    func count(_ value: UInt64, _ field: String) throws(WireError) -> Int {
        Int(try number(value, field))
    }

    func attempt(_ value: UInt32, _ field: String) throws(WireError) -> UInt32 {
        guard value <= largestAttempt else {
            throw invalid(field, expected: "at most \(largestAttempt)", actual: "\(value)")
        }
        return value
    }

    func microseconds(_ value: UInt64, _ field: String) throws(WireError) -> Duration {
        .microseconds(try count(value, field))
    }

    func versions(
        _ minimum: UInt32,
        _ maximum: UInt32,
        _ field: String
    ) throws(WireError) -> ClosedRange<UInt32> {
        guard minimum <= maximum else {
            throw invalid(field, expected: "at most the maximum, \(maximum)", actual: "\(minimum)")
        }
        return minimum...maximum
    }

    func choice<Choice: WireEnumeration>(
        _ value: some RawRepresentable<UInt32>,
        _ field: String
    ) throws(WireError) -> Choice {
        guard let choice = Choice(wireNumber: value.rawValue) else {
            let known = Choice.allCases.map { "\($0.wire.rawValue) \($0)" }.joined(separator: ", ")
            throw invalid(field, expected: "one of \(known)", actual: "\(value.rawValue)")
        }
        return choice
    }

    /// Refuses a payload that does not lie within the whole it is part of.
    func require(offset: Int, within totalByteCount: Int) throws(WireError) {
        guard offset + payload.count <= totalByteCount else {
            throw invalid(
                "offset",
                expected: "\(payload.count) bytes of payload within \(totalByteCount)",
                actual: "\(offset)"
            )
        }
    }

    // MARK: Bytes

    func hash(_ data: ProtobufCBinaryData, _ field: String) throws(WireError) -> ContentHash {
        guard let hash = unsafe ContentHash(UnsafeBufferPointer(start: data.data, count: data.len)) else {
            throw invalid(
                field,
                expected: "\(ContentHash.byteCount) bytes",
                actual: unsafe "\(data.len) bytes"
            )
        }
        return hash
    }

    /// Nil for no bytes.
    func optionalHash(_ data: ProtobufCBinaryData, _ field: String) throws(WireError) -> ContentHash? {
        unsafe data.len == 0 ? nil : try hash(data, field)
    }

    // MARK: Text

    /// A C string; what follows a NUL in it is not part of it.
    func text(
        _ text: UnsafePointer<CChar>?,
        _ field: String,
        _ bound: TextBound
    ) throws(WireError) -> String {
        guard let text = unsafe text, let string = unsafe String(validatingCString: text) else {
            throw invalid(field, expected: "UTF-8", actual: "other bytes")
        }
        guard string.utf8.count <= bound.byteCount else {
            throw invalid(
                field,
                expected: "at most \(bound.byteCount) bytes",
                actual: "\(string.utf8.count) bytes"
            )
        }
        return string
    }

    /// Nil for no text.
    func optionalText(
        _ text: UnsafePointer<CChar>?,
        _ field: String,
        _ bound: TextBound
    ) throws(WireError) -> String? {
        let string = unsafe try self.text(text, field, bound)
        return string.isEmpty ? nil : string
    }

    /// Nil for no text.
    func publicKey(_ text: UnsafePointer<CChar>?, _ field: String) throws(WireError) -> String? {
        guard let key = unsafe try optionalText(text, field, .name) else { return nil }
        guard key.isPublicKey else {
            throw invalid(
                field,
                expected: "\(TextBound.publicKeyByteCount) characters of Z85",
                actual: "\(key.utf8.count) bytes"
            )
        }
        return key
    }

    // MARK: Messages and lists

    /// A field whose absence is an error.
    func value<Value: ProtobufForm>(
        _ pointer: UnsafeMutablePointer<Value.Wire>?,
        _ field: String
    ) throws(WireError) -> Value {
        guard let pointer = unsafe pointer else {
            throw invalid(field, expected: "a value", actual: "nothing")
        }
        return unsafe try Value(pointer.pointee, FieldReader(message: "\(message).\(field)", payload: []))
    }

    func list<Value: ProtobufForm>(
        _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<Value.Wire>?>?,
        count: Int,
        _ field: String,
        _ bound: CountBound
    ) throws(WireError) -> [Value] {
        var values: [Value] = []
        try check(count, field, bound)
        for index in 0..<count { values.append(unsafe try value(pointers?[index], field)) }
        return values
    }

    func publicKeys(
        _ texts: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
        count: Int,
        _ field: String
    ) throws(WireError) -> [String] {
        var keys: [String] = []
        try check(count, field, .publicKeys)
        for index in 0..<count {
            guard let key = unsafe try publicKey(texts?[index], field) else {
                throw invalid(field, expected: "a key", actual: "no text")
            }
            keys.append(key)
        }
        return keys
    }

    func nodes(
        _ numbers: UnsafeMutablePointer<UInt32>?,
        count: Int,
        _ field: String
    ) throws(WireError) -> [NodeID] {
        try check(count, field, .nodes)
        return unsafe UnsafeBufferPointer(start: numbers, count: count).map { NodeID($0) }
    }

    /// Finite and not negative.
    func distances(
        _ numbers: UnsafeMutablePointer<Double>?,
        count: Int,
        _ field: String
    ) throws(WireError) -> [Double] {
        try check(count, field, .distances)
        let distances = unsafe Array(UnsafeBufferPointer(start: numbers, count: count))
        guard let wrong = distances.first(where: { !($0.isFinite && $0 >= 0) }) else { return distances }
        throw invalid(field, expected: "finite numbers, 0 or more", actual: "\(wrong)")
    }

    private func check(_ count: Int, _ field: String, _ bound: CountBound) throws(WireError) {
        guard count <= bound.count else {
            throw invalid(field, expected: "at most \(bound.count) elements", actual: "\(count)")
        }
    }
}
