import CClusterProto

extension Message.Announce: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__Announce

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__announce__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__announce__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            round: RoundNumber(try fields.number(wire.round, "round")),
            manifestHash: try fields.hash(wire.manifest_hash, "manifest_hash")
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.round = try fields.number(round.rawValue, "round")
        unsafe wire.manifest_hash = fields.hash(manifestHash)
    }
}

extension Message.Holder: @unsafe ProtobufForm {
    typealias Wire = Flowsteer__Cluster__V1__Holder

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__holder__init(wire)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            endpoint: try fields.text(wire.endpoint, "endpoint", .endpoint),
            publicKey: try fields.publicKey(wire.public_key, "public_key")
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.endpoint = try fields.text(endpoint, "endpoint", .endpoint)
        unsafe wire.public_key = try fields.publicKey(publicKey, "public_key")
    }
}

extension Message.Manifest: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__Manifest

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__manifest__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__manifest__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            round: RoundNumber(try fields.number(wire.round, "round")),
            hash: try fields.hash(wire.hash, "hash"),
            payload: fields.payload,
            holders: try fields.list(wire.holders, count: wire.n_holders, "holders", .holders)
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.round = try fields.number(round.rawValue, "round")
        unsafe wire.hash = fields.hash(hash)
        unsafe wire.n_holders = holders.count
        unsafe wire.holders = try fields.list(holders, "holders", .holders)
    }
}

extension Message.ChunkRequest: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__ChunkRequest

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__chunk_request__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__chunk_request__unpack(&allocator, bytes.count, bytes.baseAddress)
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

extension Message.ManifestRequest: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__ManifestRequest

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__manifest_request__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__manifest_request__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        switch unsafe wire.selector_case {
        case FLOWSTEER__CLUSTER__V1__MANIFEST_REQUEST__SELECTOR_ROUND:
            unsafe self = .round(RoundNumber(try fields.number(wire.round, "round")))
        case FLOWSTEER__CLUSTER__V1__MANIFEST_REQUEST__SELECTOR_HASH:
            unsafe self = .hash(try fields.hash(wire.hash, "hash"))
        default:
            throw fields.invalid("selector", expected: "a round or a hash", actual: "neither")
        }
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        switch self {
        case .round(let round):
            unsafe wire.selector_case = FLOWSTEER__CLUSTER__V1__MANIFEST_REQUEST__SELECTOR_ROUND
            unsafe wire.round = try fields.number(round.rawValue, "round")
        case .hash(let hash):
            unsafe wire.selector_case = FLOWSTEER__CLUSTER__V1__MANIFEST_REQUEST__SELECTOR_HASH
            unsafe wire.hash = fields.hash(hash)
        }
    }
}
