import CClusterProto

extension Message.Ping: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__Ping

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__ping__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__ping__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            progress: try fields.count(wire.progress, "progress"),
            heldByteCount: try fields.count(wire.held_byte_count, "held_byte_count"),
            activity: try fields.text(wire.activity, "activity", .prose),
            computeTime: try fields.microseconds(wire.compute_microseconds, "compute_microseconds"),
            waitTime: try fields.microseconds(wire.wait_microseconds, "wait_microseconds"),
            wireTime: try fields.microseconds(wire.wire_microseconds, "wire_microseconds"),
            peakMemoryByteCount: try fields.count(wire.peak_memory_byte_count, "peak_memory_byte_count")
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.progress = try fields.count(progress, "progress")
        unsafe wire.held_byte_count = try fields.count(heldByteCount, "held_byte_count")
        unsafe wire.activity = fields.prose(activity)
        unsafe wire.compute_microseconds = computeTime.wholeMicroseconds
        unsafe wire.wait_microseconds = waitTime.wholeMicroseconds
        unsafe wire.wire_microseconds = wireTime.wholeMicroseconds
        unsafe wire.peak_memory_byte_count = try fields.count(peakMemoryByteCount, "peak_memory_byte_count")
    }
}

extension Message.Pong: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__Pong

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__pong__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__pong__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            latestRound: RoundNumber(try fields.number(wire.latest_round, "latest_round")),
            manifestHash: try fields.optionalHash(wire.manifest_hash, "manifest_hash"),
            state: try fields.choice(wire.state, "state"),
            trainerPublicKeys: try fields.publicKeys(
                wire.trainer_public_keys,
                count: wire.n_trainer_public_keys,
                "trainer_public_keys"
            )
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.latest_round = try fields.number(latestRound.rawValue, "latest_round")
        unsafe wire.manifest_hash = fields.hash(manifestHash)
        unsafe wire.state = state.wire
        unsafe wire.n_trainer_public_keys = trainerPublicKeys.count
        unsafe wire.trainer_public_keys = try fields.publicKeys(trainerPublicKeys, "trainer_public_keys")
    }
}

extension Message.Goodbye: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__Goodbye

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__goodbye__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__goodbye__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            reason: try fields.text(wire.reason, "reason", .prose),
            returningLeases: try fields.list(
                wire.returning_leases,
                count: wire.n_returning_leases,
                "returning_leases",
                .leases
            )
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.reason = fields.prose(reason)
        unsafe wire.n_returning_leases = returningLeases.count
        unsafe wire.returning_leases = try fields.list(returningLeases, "returning_leases", .leases)
    }
}

extension Message.Drain: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__Drain

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__drain__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__drain__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            reason: try fields.text(wire.reason, "reason", .prose)
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.reason = fields.prose(reason)
    }
}

/// The body of a kind that says all by itself.
struct FinishBody: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__Finish

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__finish__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__finish__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init() {}

    init(_ wire: Wire, _ fields: FieldReader) {}

    func write(to wire: inout Wire, _ fields: inout FieldWriter) {}
}
