import CClusterProto

extension Message.Hello: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__Hello

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__hello__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__hello__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            role: try fields.choice(wire.role, "role"),
            name: try fields.text(wire.name, "name", .name),
            protocolVersions: try fields.versions(
                wire.protocol_minimum,
                wire.protocol_maximum,
                "protocol_minimum"
            ),
            build: try fields.text(wire.build, "build", .build),
            teacherHash: try fields.optionalHash(wire.teacher_hash, "teacher_hash"),
            trajectoriesEndpoint: try fields.optionalText(
                wire.trajectories_endpoint,
                "trajectories_endpoint",
                .endpoint
            ),
            trajectoriesPublicKey: try fields.publicKey(
                wire.trajectories_public_key,
                "trajectories_public_key"
            ),
            batchCapacity: Int(wire.capacity_batches),
            heldLeases: try fields.list(wire.held_leases, count: wire.n_held_leases, "held_leases", .leases),
            heldTrajectories: try fields.list(
                wire.held_trajectories,
                count: wire.n_held_trajectories,
                "held_trajectories",
                .trajectories
            ),
            round: RoundNumber(try fields.number(wire.round, "round")),
            parameterHash: try fields.optionalHash(wire.parameter_hash, "parameter_hash")
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.role = role.wire
        unsafe wire.name = try fields.text(name, "name", .name)
        unsafe wire.protocol_minimum = protocolVersions.lowerBound
        unsafe wire.protocol_maximum = protocolVersions.upperBound
        unsafe wire.build = try fields.text(build, "build", .build)
        unsafe wire.teacher_hash = fields.hash(teacherHash)
        unsafe wire.trajectories_endpoint = try fields.text(
            trajectoriesEndpoint ?? "",
            "trajectories_endpoint",
            .endpoint
        )
        unsafe wire.trajectories_public_key = try fields.publicKey(
            trajectoriesPublicKey,
            "trajectories_public_key"
        )
        unsafe wire.capacity_batches = try fields.count(batchCapacity, "capacity_batches")
        unsafe wire.n_held_leases = heldLeases.count
        unsafe wire.held_leases = try fields.list(heldLeases, "held_leases", .leases)
        unsafe wire.n_held_trajectories = heldTrajectories.count
        unsafe wire.held_trajectories = try fields.list(heldTrajectories, "held_trajectories", .trajectories)
        unsafe wire.round = try fields.number(round.rawValue, "round")
        unsafe wire.parameter_hash = fields.hash(parameterHash)
    }
}

extension Message.HeldLease: @unsafe ProtobufForm {
    typealias Wire = Flowsteer__Cluster__V1__HeldLease

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__held_lease__init(wire)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            batch: BatchID(try fields.number(wire.batch, "batch")),
            fence: try fields.value(wire.fence, "fence")
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.batch = try fields.number(batch.rawValue, "batch")
        unsafe wire.fence = try fields.value(fence)
    }
}

extension Message.HeldTrajectory: @unsafe ProtobufForm {
    typealias Wire = Flowsteer__Cluster__V1__HeldTrajectory

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__held_trajectory__init(wire)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            batch: BatchID(try fields.number(wire.batch, "batch")),
            hash: try fields.hash(wire.hash, "hash"),
            byteCount: try fields.count(wire.byte_count, "byte_count")
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.batch = try fields.number(batch.rawValue, "batch")
        unsafe wire.hash = fields.hash(hash)
        unsafe wire.byte_count = try fields.count(byteCount, "byte_count")
    }
}

extension Message.Welcome: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__Welcome

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__welcome__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__welcome__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            node: NodeID(wire.node),
            token: SessionToken(wire.session_token),
            configuration: try fields.text(wire.configuration, "configuration", .configuration),
            pingInterval: .milliseconds(Int64(wire.ping_milliseconds)),
            deadInterval: .milliseconds(Int64(wire.dead_milliseconds)),
            averagingEndpoint: try fields.text(wire.averaging_endpoint, "averaging_endpoint", .endpoint),
            checkpointEndpoint: try fields.text(wire.checkpoint_endpoint, "checkpoint_endpoint", .endpoint),
            announcementEndpoint: try fields.text(
                wire.announcement_endpoint,
                "announcement_endpoint",
                .endpoint
            ),
            serverPublicKey: try fields.publicKey(wire.server_public_key, "server_public_key"),
            latestRound: RoundNumber(try fields.number(wire.latest_round, "latest_round")),
            manifestHash: try fields.optionalHash(wire.manifest_hash, "manifest_hash"),
            trainerPublicKeys: try fields.publicKeys(
                wire.trainer_public_keys,
                count: wire.n_trainer_public_keys,
                "trainer_public_keys"
            )
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.node = node.rawValue
        unsafe wire.session_token = token.rawValue
        unsafe wire.configuration = try fields.text(configuration, "configuration", .configuration)
        unsafe wire.ping_milliseconds = pingInterval.wholeMilliseconds
        unsafe wire.dead_milliseconds = deadInterval.wholeMilliseconds
        unsafe wire.averaging_endpoint = try fields.text(averagingEndpoint, "averaging_endpoint", .endpoint)
        unsafe wire.checkpoint_endpoint = try fields.text(
            checkpointEndpoint,
            "checkpoint_endpoint",
            .endpoint
        )
        unsafe wire.announcement_endpoint = try fields.text(
            announcementEndpoint,
            "announcement_endpoint",
            .endpoint
        )
        unsafe wire.server_public_key = try fields.publicKey(serverPublicKey, "server_public_key")
        unsafe wire.latest_round = try fields.number(latestRound.rawValue, "latest_round")
        unsafe wire.manifest_hash = fields.hash(manifestHash)
        unsafe wire.n_trainer_public_keys = trainerPublicKeys.count
        unsafe wire.trainer_public_keys = try fields.publicKeys(trainerPublicKeys, "trainer_public_keys")
    }
}

extension Message.Refuse: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__Refuse

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__refuse__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__refuse__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            code: try fields.choice(wire.code, "code"),
            text: try fields.text(wire.text, "text", .prose)
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.code = code.wire
        unsafe wire.text = fields.prose(text)
    }
}

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
