import CClusterProto
import Tensors

extension Message.RoundOpen: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__RoundOpen

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__round_open__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__round_open__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            round: RoundNumber(try fields.number(wire.round, "round")),
            localStepCount: Int(wire.local_steps)
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.round = try fields.number(round.rawValue, "round")
        unsafe wire.local_steps = try fields.count(localStepCount, "local_steps")
    }
}

extension Message.RoundCommitted: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__RoundCommitted

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__round_committed__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__round_committed__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            round: RoundNumber(try fields.number(wire.round, "round")),
            parameterHash: try fields.hash(wire.parameter_hash, "parameter_hash"),
            manifestHash: try fields.hash(wire.manifest_hash, "manifest_hash"),
            excluded: try fields.nodes(wire.excluded_nodes, count: wire.n_excluded_nodes, "excluded_nodes")
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.round = try fields.number(round.rawValue, "round")
        unsafe wire.parameter_hash = fields.hash(parameterHash)
        unsafe wire.manifest_hash = fields.hash(manifestHash)
        unsafe wire.n_excluded_nodes = excluded.count
        unsafe wire.excluded_nodes = try fields.nodes(excluded, "excluded_nodes")
    }
}

extension Message.RoundAborted: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__RoundAborted

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__round_aborted__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__round_aborted__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            round: RoundNumber(try fields.number(wire.round, "round")),
            reason: try fields.text(wire.reason, "reason", .prose)
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.round = try fields.number(round.rawValue, "round")
        unsafe wire.reason = fields.prose(reason)
    }
}

extension Message.ParameterSegment: @unsafe ProtobufForm {
    typealias Wire = Flowsteer__Cluster__V1__ParameterSegment

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__parameter_segment__init(wire)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            name: try fields.text(wire.name, "name", .name),
            elementCount: try fields.count(wire.element_count, "element_count"),
            type: try fields.choice(wire.scalar_type, "scalar_type")
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.name = try fields.text(name, "name", .name)
        unsafe wire.element_count = try fields.count(elementCount, "element_count")
        unsafe wire.scalar_type = type.wire
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

extension Message.RoundError: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__RoundError

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__round_error__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__round_error__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            round: RoundNumber(try fields.number(wire.round, "round")),
            code: try fields.choice(wire.code, "code"),
            text: try fields.text(wire.text, "text", .prose)
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.round = try fields.number(round.rawValue, "round")
        unsafe wire.code = code.wire
        unsafe wire.text = fields.prose(text)
    }
}
