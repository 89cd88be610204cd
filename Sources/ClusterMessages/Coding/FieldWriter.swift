import CClusterProto

/// Fills the structures of one message that is about to be packed, and owns what their pointers point to.
@safe
struct FieldWriter: ~Copyable {
    private let message: String
    private var allocations: [UnsafeMutableRawPointer]

    private init(message: String) {
        self.message = message
        unsafe allocations = []
    }

    deinit {
        unsafe allocations.forEach { unsafe $0.deallocate() }
    }

    /// The bytes of a value.
    static func pack(_ body: some ProtobufBody) throws(WireError) -> [UInt8] {
        var fields = FieldWriter(message: type(of: body).messageName)
        return try fields.packed(body)
    }

    /// A method, so that what the structures point to lives until the bytes are written.
    private mutating func packed(_ body: some ProtobufBody) throws(WireError) -> [UInt8] {
        let wire = unsafe UnsafeMutableRawPointer(try value(body))
        let base = unsafe wire.assumingMemoryBound(to: ProtobufCMessage.self)
        let byteCount = unsafe protobuf_c_message_get_packed_size(base)
        return unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, initialized in
            if let start = buffer.baseAddress {
                initialized = unsafe protobuf_c_message_pack(base, start)
            }
        }
    }

    private func invalid(_ field: String, expected: String, actual: String) -> WireError {
        .invalidField(message: message, field: field, expected: expected, actual: actual)
    }

    private mutating func allocate<Element>(_ count: Int) -> UnsafeMutablePointer<Element> {
        let pointer = UnsafeMutablePointer<Element>.allocate(capacity: count)
        unsafe allocations.append(UnsafeMutableRawPointer(pointer))
        return unsafe pointer
    }

    // MARK: Numbers

    func number(_ value: UInt64, _ field: String) throws(WireError) -> UInt64 {
        guard value <= largestNumber else {
            throw invalid(field, expected: "at most \(largestNumber)", actual: "\(value)")
        }
        return value
    }

    func count<Wire: UnsignedInteger & FixedWidthInteger>(
        _ value: Int,
        _ field: String
    ) throws(WireError) -> Wire {
        guard let number = Wire(exactly: value), number <= largestNumber else {
            throw invalid(
                field,
                expected: "0 to \(Swift.min(UInt64(Wire.max), largestNumber))",
                actual: "\(value)"
            )
        }
        return number
    }

    func attempt(_ value: UInt32, _ field: String) throws(WireError) -> UInt32 {
        guard value <= largestAttempt else {
            throw invalid(field, expected: "at most \(largestAttempt)", actual: "\(value)")
        }
        return value
    }

    // MARK: Bytes

    /// No bytes for nil.
    mutating func hash(_ hash: ContentHash?) -> ProtobufCBinaryData {
        let bytes = hash?.bytes ?? []
        let copy: UnsafeMutablePointer<UInt8> = unsafe allocate(bytes.count)
        unsafe copy.update(from: bytes, count: bytes.count)
        return unsafe ProtobufCBinaryData(len: bytes.count, data: copy)
    }

    // MARK: Text

    /// Text that must arrive as it is: throws when it is too long or holds a NUL, which ends a C string.
    mutating func text(
        _ text: String,
        _ field: String,
        _ bound: TextBound
    ) throws(WireError) -> UnsafeMutablePointer<CChar> {
        guard text.utf8.count <= bound.byteCount else {
            throw invalid(
                field,
                expected: "at most \(bound.byteCount) bytes",
                actual: "\(text.utf8.count) bytes"
            )
        }
        guard !text.utf8.contains(0) else {
            throw invalid(field, expected: "text without NUL", actual: "a NUL")
        }
        return unsafe copy(text.utf8)
    }

    /// Words for people: shortened rather than refused, and without what ends a C string.
    mutating func prose(_ text: String) -> UnsafeMutablePointer<CChar> {
        let shortened = text.prefix(byteCount: TextBound.prose.byteCount)
        return unsafe copy(shortened.utf8.lazy.map { $0 == 0 ? UInt8(ascii: " ") : $0 })
    }

    /// No text for nil.
    mutating func publicKey(_ key: String?, _ field: String) throws(WireError) -> UnsafeMutablePointer<CChar>
    {
        guard key?.isPublicKey ?? true else {
            throw invalid(
                field,
                expected: "\(TextBound.publicKeyByteCount) characters of Z85",
                actual: "\(key?.utf8.count ?? 0) bytes"
            )
        }
        return unsafe copy((key ?? "").utf8)
    }

    private mutating func copy(_ bytes: some Sequence<UInt8>) -> UnsafeMutablePointer<CChar> {
        let bytes = Array(bytes)
        let copy: UnsafeMutablePointer<CChar> = unsafe allocate(bytes.count + 1)
        unsafe UnsafeMutableRawPointer(copy).copyMemory(from: bytes, byteCount: bytes.count)
        unsafe copy[bytes.count] = 0
        return unsafe copy
    }

    // MARK: Messages and lists

    mutating func value<Value: ProtobufForm>(
        _ value: Value
    ) throws(WireError) -> UnsafeMutablePointer<Value.Wire> {
        let wire: UnsafeMutablePointer<Value.Wire> = unsafe allocate(1)
        unsafe Value.prepare(wire)
        unsafe try value.write(to: &wire.pointee, &self)
        return unsafe wire
    }

    mutating func list<Value: ProtobufForm>(
        _ values: [Value],
        _ field: String,
        _ bound: CountBound
    ) throws(WireError) -> UnsafeMutablePointer<UnsafeMutablePointer<Value.Wire>?> {
        try check(values.count, field, bound)
        let list: UnsafeMutablePointer<UnsafeMutablePointer<Value.Wire>?> = unsafe allocate(values.count)
        for (index, element) in values.enumerated() { unsafe list[index] = try value(element) }
        return unsafe list
    }

    mutating func publicKeys(
        _ keys: [String],
        _ field: String
    ) throws(WireError) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
        try check(keys.count, field, .publicKeys)
        let list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = unsafe allocate(keys.count)
        for (index, key) in keys.enumerated() { unsafe list[index] = try publicKey(key, field) }
        return unsafe list
    }

    mutating func nodes(_ nodes: [NodeID], _ field: String) throws(WireError) -> UnsafeMutablePointer<UInt32>
    {
        try check(nodes.count, field, .nodes)
        let list: UnsafeMutablePointer<UInt32> = unsafe allocate(nodes.count)
        for (index, node) in nodes.enumerated() { unsafe list[index] = node.rawValue }
        return unsafe list
    }

    mutating func distances(
        _ distances: [Double],
        _ field: String
    ) throws(WireError) -> UnsafeMutablePointer<Double> {
        try check(distances.count, field, .distances)
        let list: UnsafeMutablePointer<Double> = unsafe allocate(distances.count)
        for (index, distance) in distances.enumerated() { unsafe list[index] = distance }
        return unsafe list
    }

    private func check(_ count: Int, _ field: String, _ bound: CountBound) throws(WireError) {
        guard count <= bound.count else {
            throw invalid(field, expected: "at most \(bound.count) elements", actual: "\(count)")
        }
    }
}
