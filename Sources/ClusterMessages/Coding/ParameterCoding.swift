import CClusterProto

extension Message.ParameterRequest: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__ParameterRequest

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__parameter_request__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__parameter_request__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            round: RoundNumber(try fields.number(wire.round, "round")),
            segment: try fields.text(wire.segment, "segment", .name),
            offset: try fields.count(wire.offset, "offset"),
            creditByteCount: try fields.count(wire.credit_byte_count, "credit_byte_count")
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.round = try fields.number(round.rawValue, "round")
        unsafe wire.segment = try fields.text(segment, "segment", .name)
        unsafe wire.offset = try fields.count(offset, "offset")
        unsafe wire.credit_byte_count = try fields.count(creditByteCount, "credit_byte_count")
    }
}

extension Message.ParameterFragment: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__ParameterFragment

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__parameter_fragment__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__parameter_fragment__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            round: RoundNumber(try fields.number(wire.round, "round")),
            segment: try fields.text(wire.segment, "segment", .name),
            offset: try fields.count(wire.offset, "offset"),
            totalByteCount: try fields.count(wire.total_byte_count, "total_byte_count"),
            payload: fields.payload
        )
        try fields.require(offset: offset, within: totalByteCount)
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.round = try fields.number(round.rawValue, "round")
        unsafe wire.segment = try fields.text(segment, "segment", .name)
        unsafe wire.offset = try fields.count(offset, "offset")
        unsafe wire.total_byte_count = try fields.count(totalByteCount, "total_byte_count")
    }
}
