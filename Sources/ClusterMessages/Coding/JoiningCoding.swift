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
            parameterHash: try fields.optionalHash(wire.parameter_hash, "parameter_hash"),
            machine: try fields.optionalText(wire.machine, "machine", .build) ?? ""
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
        unsafe wire.machine = try fields.text(machine, "machine", .build)
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
            ),
            parameterHash: try fields.optionalHash(wire.parameter_hash, "parameter_hash")
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
        unsafe wire.parameter_hash = fields.hash(parameterHash)
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
