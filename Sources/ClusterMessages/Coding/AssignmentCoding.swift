import CClusterProto

extension Message.Assign: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__Assign

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__assign__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__assign__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            batch: BatchID(try fields.number(wire.batch, "batch")),
            hash: try fields.hash(wire.hash, "hash"),
            byteCount: try fields.count(wire.byte_count, "byte_count"),
            sampleCount: Int(wire.sample_count),
            holder: NodeID(wire.holder_node),
            holderEndpoint: try fields.text(wire.holder_endpoint, "holder_endpoint", .endpoint),
            holderPublicKey: try fields.publicKey(wire.holder_public_key, "holder_public_key"),
            after: wire.after == 0 ? nil : BatchID(try fields.number(wire.after, "after") - 1)
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.batch = try fields.number(batch.rawValue, "batch")
        unsafe wire.hash = fields.hash(hash)
        unsafe wire.byte_count = try fields.count(byteCount, "byte_count")
        unsafe wire.sample_count = try fields.count(sampleCount, "sample_count")
        unsafe wire.holder_node = holder.rawValue
        unsafe wire.holder_endpoint = try fields.text(holderEndpoint, "holder_endpoint", .endpoint)
        unsafe wire.holder_public_key = try fields.publicKey(holderPublicKey, "holder_public_key")
        unsafe wire.after = try fields.number(after.map { $0.rawValue + 1 } ?? 0, "after")
    }
}

extension Message.Release: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__Release

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__release__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__release__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            batch: BatchID(try fields.number(wire.batch, "batch")),
            hash: try fields.hash(wire.hash, "hash")
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.batch = try fields.number(batch.rawValue, "batch")
        unsafe wire.hash = fields.hash(hash)
    }
}

extension Message.Consumed: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__Consumed

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__consumed__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__consumed__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            batch: BatchID(try fields.number(wire.batch, "batch")),
            hash: try fields.hash(wire.hash, "hash"),
            round: RoundNumber(try fields.number(wire.round, "round")),
            localStep: Int(wire.local_step),
            sampleCount: Int(wire.sample_count),
            useCount: Int(wire.uses)
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.batch = try fields.number(batch.rawValue, "batch")
        unsafe wire.hash = fields.hash(hash)
        unsafe wire.round = try fields.number(round.rawValue, "round")
        unsafe wire.local_step = try fields.count(localStep, "local_step")
        unsafe wire.sample_count = try fields.count(sampleCount, "sample_count")
        unsafe wire.uses = try fields.count(useCount, "uses")
    }
}

extension Message.FetchFailed: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__FetchFailed

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__fetch_failed__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__fetch_failed__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            batch: BatchID(try fields.number(wire.batch, "batch")),
            hash: try fields.hash(wire.hash, "hash"),
            holder: NodeID(wire.holder_node),
            code: try fields.choice(wire.code, "code"),
            text: try fields.text(wire.text, "text", .prose)
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.batch = try fields.number(batch.rawValue, "batch")
        unsafe wire.hash = fields.hash(hash)
        unsafe wire.holder_node = holder.rawValue
        unsafe wire.code = code.wire
        unsafe wire.text = fields.prose(text)
    }
}

extension Message.StepReport: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__StepReport

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__step_report__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__step_report__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            round: RoundNumber(try fields.number(wire.round, "round")),
            localStep: Int(wire.local_step),
            sampleCount: Int(wire.sample_count),
            losses: try fields.list(wire.losses, count: wire.n_losses, "losses", .measurements),
            gradientNorms: try fields.list(
                wire.gradient_norms,
                count: wire.n_gradient_norms,
                "gradient_norms",
                .measurements
            )
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.round = try fields.number(round.rawValue, "round")
        unsafe wire.local_step = try fields.count(localStep, "local_step")
        unsafe wire.sample_count = try fields.count(sampleCount, "sample_count")
        unsafe wire.n_losses = losses.count
        unsafe wire.losses = try fields.list(losses, "losses", .measurements)
        unsafe wire.n_gradient_norms = gradientNorms.count
        unsafe wire.gradient_norms = try fields.list(gradientNorms, "gradient_norms", .measurements)
    }
}
