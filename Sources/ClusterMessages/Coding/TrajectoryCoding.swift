import CClusterProto

extension Message.Fetch: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__Fetch

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__fetch__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__fetch__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            hash: try fields.hash(wire.hash, "hash"),
            offset: try fields.count(wire.offset, "offset"),
            creditByteCount: try fields.count(wire.credit_byte_count, "credit_byte_count")
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.hash = fields.hash(hash)
        unsafe wire.offset = try fields.count(offset, "offset")
        unsafe wire.credit_byte_count = try fields.count(creditByteCount, "credit_byte_count")
    }
}

extension Message.Chunk: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__Chunk

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__chunk__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__chunk__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            hash: try fields.hash(wire.hash, "hash"),
            offset: try fields.count(wire.offset, "offset"),
            totalByteCount: try fields.count(wire.total_byte_count, "total_byte_count"),
            payload: fields.payload
        )
        try fields.require(offset: offset, within: totalByteCount)
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.hash = fields.hash(hash)
        unsafe wire.offset = try fields.count(offset, "offset")
        unsafe wire.total_byte_count = try fields.count(totalByteCount, "total_byte_count")
    }
}

extension Message.FetchError: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__FetchError

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__fetch_error__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__fetch_error__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            hash: try fields.optionalHash(wire.hash, "hash"),
            code: try fields.choice(wire.code, "code"),
            text: try fields.text(wire.text, "text", .prose)
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.hash = fields.hash(hash)
        unsafe wire.code = code.wire
        unsafe wire.text = fields.prose(text)
    }
}
