import CClusterProto

extension Message.RingMember: @unsafe ProtobufForm {
    typealias Wire = Flowsteer__Cluster__V1__RingMember

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__ring_member__init(wire)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            node: NodeID(wire.node),
            endpoint: try fields.text(wire.endpoint, "endpoint", .endpoint),
            publicKey: try fields.publicKey(wire.public_key, "public_key"),
            offer: try fields.hash(wire.offer_hash, "offer_hash"),
            sampleCount: try fields.count(wire.sample_count, "sample_count")
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.node = node.rawValue
        unsafe wire.endpoint = try fields.text(endpoint, "endpoint", .endpoint)
        unsafe wire.public_key = try fields.publicKey(publicKey, "public_key")
        unsafe wire.offer_hash = fields.hash(offer)
        unsafe wire.sample_count = try fields.count(sampleCount, "sample_count")
    }
}

extension Message.RingOpen: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__RingOpen

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__ring_open__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__ring_open__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            round: RoundNumber(try fields.number(wire.round, "round")),
            ring: try fields.number(wire.ring, "ring"),
            members: try fields.list(wire.members, count: wire.n_members, "members", .ring)
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.round = try fields.number(round.rawValue, "round")
        unsafe wire.ring = try fields.number(ring, "ring")
        unsafe wire.n_members = members.count
        unsafe wire.members = try fields.list(members, "members", .ring)
    }
}

extension Message.RingShare: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__RingShare

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__ring_share__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__ring_share__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            ring: try fields.number(wire.ring, "ring"),
            hash: try fields.hash(wire.hash, "hash"),
            byteCount: try fields.count(wire.byte_count, "byte_count"),
            squaredDistances: try fields.distances(
                wire.squared_distances,
                count: wire.n_squared_distances,
                "squared_distances"
            )
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.ring = try fields.number(ring, "ring")
        unsafe wire.hash = fields.hash(hash)
        unsafe wire.byte_count = try fields.count(byteCount, "byte_count")
        unsafe wire.n_squared_distances = squaredDistances.count
        unsafe wire.squared_distances = try fields.distances(squaredDistances, "squared_distances")
    }
}

extension Message.RingFailed: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__RingFailed

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__ring_failed__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__ring_failed__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            ring: try fields.number(wire.ring, "ring"),
            code: try fields.choice(wire.code, "code"),
            text: try fields.text(wire.text, "text", .prose)
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.ring = try fields.number(ring, "ring")
        unsafe wire.code = code.wire
        unsafe wire.text = fields.prose(text)
    }
}

extension Message.RingMean: @unsafe ProtobufForm {
    typealias Wire = Flowsteer__Cluster__V1__RingMean

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__ring_mean__init(wire)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            endpoint: try fields.text(wire.endpoint, "endpoint", .endpoint),
            publicKey: try fields.publicKey(wire.public_key, "public_key"),
            hash: try fields.hash(wire.hash, "hash"),
            byteCount: try fields.count(wire.byte_count, "byte_count")
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.endpoint = try fields.text(endpoint, "endpoint", .endpoint)
        unsafe wire.public_key = try fields.publicKey(publicKey, "public_key")
        unsafe wire.hash = fields.hash(hash)
        unsafe wire.byte_count = try fields.count(byteCount, "byte_count")
    }
}
