import CClusterProto

extension Message.ParameterSegment: @unsafe ProtobufForm {
    typealias Wire = Flowsteer__Cluster__V1__ParameterSegment

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__parameter_segment__init(wire)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            name: try fields.text(wire.name, "name", .name),
            elementCount: try fields.count(wire.element_count, "element_count"),
            encoding: try fields.choice(wire.scalar_type, "scalar_type")
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.name = try fields.text(name, "name", .name)
        unsafe wire.element_count = try fields.count(elementCount, "element_count")
        unsafe wire.scalar_type = encoding.wire
    }
}

extension Message.Offer: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__Offer

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__offer__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__offer__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            round: RoundNumber(try fields.number(wire.round, "round")),
            baseRound: RoundNumber(try fields.number(wire.base_round, "base_round")),
            sampleCount: try fields.count(wire.sample_count, "sample_count"),
            hash: try fields.hash(wire.hash, "hash"),
            segments: try fields.list(wire.segments, count: wire.n_segments, "segments", .segments),
            losses: try fields.list(wire.losses, count: wire.n_losses, "losses", .measurements)
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.round = try fields.number(round.rawValue, "round")
        unsafe wire.base_round = try fields.number(baseRound.rawValue, "base_round")
        unsafe wire.sample_count = try fields.count(sampleCount, "sample_count")
        unsafe wire.hash = fields.hash(hash)
        unsafe wire.n_segments = segments.count
        unsafe wire.segments = try fields.list(segments, "segments", .segments)
        unsafe wire.n_losses = losses.count
        unsafe wire.losses = try fields.list(losses, "losses", .measurements)
    }
}

extension Message.OfferFragment: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__OfferFragment

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__offer_fragment__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__offer_fragment__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            round: RoundNumber(try fields.number(wire.round, "round")),
            segment: try fields.text(wire.segment, "segment", .name),
            offset: try fields.count(wire.offset, "offset"),
            payload: fields.payload
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.round = try fields.number(round.rawValue, "round")
        unsafe wire.segment = try fields.text(segment, "segment", .name)
        unsafe wire.offset = try fields.count(offset, "offset")
    }
}

extension Message.OfferAccepted: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__OfferAccepted

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__offer_accepted__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__offer_accepted__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            round: RoundNumber(try fields.number(wire.round, "round")),
            segment: try fields.text(wire.segment, "segment", .name),
            nextOffset: try fields.count(wire.next_offset, "next_offset"),
            creditByteCount: try fields.count(wire.credit_byte_count, "credit_byte_count"),
            isComplete: wire.complete != 0
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.round = try fields.number(round.rawValue, "round")
        unsafe wire.segment = try fields.text(segment, "segment", .name)
        unsafe wire.next_offset = try fields.count(nextOffset, "next_offset")
        unsafe wire.credit_byte_count = try fields.count(creditByteCount, "credit_byte_count")
        unsafe wire.complete = isComplete ? 1 : 0
    }
}
