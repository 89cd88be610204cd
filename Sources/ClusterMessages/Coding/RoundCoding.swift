import CClusterProto

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
            excluded: try fields.nodes(wire.excluded_nodes, count: wire.n_excluded_nodes, "excluded_nodes"),
            means: try fields.list(wire.means, count: wire.n_means, "means", .ring)
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.round = try fields.number(round.rawValue, "round")
        unsafe wire.parameter_hash = fields.hash(parameterHash)
        unsafe wire.manifest_hash = fields.hash(manifestHash)
        unsafe wire.n_excluded_nodes = excluded.count
        unsafe wire.excluded_nodes = try fields.nodes(excluded, "excluded_nodes")
        unsafe wire.n_means = means.count
        unsafe wire.means = try fields.list(means, "means", .ring)
    }
}

extension Message.RoundCut: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__RoundCut

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__round_cut__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__round_cut__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(round: RoundNumber(try fields.number(wire.round, "round")))
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.round = try fields.number(round.rawValue, "round")
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
