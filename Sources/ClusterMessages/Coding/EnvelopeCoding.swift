import CClusterProto
import Tensors

/// A message's header frame.
struct Envelope {
    let header: MessageHeader
    let kind: Flowsteer__Cluster__V1__Kind
    let payloadByteCount: Int
    let payloadChecksum: UInt32

    /// Compares a payload with what the header declares of it.
    func check(payload: [UInt8], of kind: Message.Kind) throws(WireError) {
        guard payload.count == payloadByteCount else {
            throw .payloadLength(
                message: kind.description,
                declared: payloadByteCount,
                actual: payload.count
            )
        }
        let checksum = kind.carriesPayload ? crc32c(payload) : 0
        guard checksum == payloadChecksum else {
            throw .payloadChecksum(message: kind.description, declared: payloadChecksum, actual: checksum)
        }
    }
}

extension Envelope: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__Header

    static let messageName = "Header"

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__header__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__header__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    /// Judges the version before any other field: only a peer of the same version means the same by them.
    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        let version = unsafe wire.protocol_version
        guard MessageHeader.supportedVersions.contains(version) else {
            throw .unsupportedVersion(version, supported: MessageHeader.supportedVersions)
        }
        unsafe kind = wire.kind
        unsafe payloadByteCount = Int(wire.payload_byte_count)
        unsafe payloadChecksum = wire.payload_crc32c
        unsafe header = MessageHeader(
            protocolVersion: version,
            runID: try fields.text(wire.run_id, "run_id", .name),
            sender: NodeID(wire.sender_node),
            token: SessionToken(wire.session_token),
            incarnation: Incarnation(wire.sender_incarnation),
            epoch: try fields.number(wire.cluster_epoch, "cluster_epoch"),
            sequence: try fields.number(wire.sequence, "sequence")
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.protocol_version = header.protocolVersion
        unsafe wire.kind = kind
        unsafe wire.run_id = try fields.text(header.runID, "run_id", .name)
        unsafe wire.sender_incarnation = header.incarnation.rawValue
        unsafe wire.cluster_epoch = try fields.number(header.epoch, "cluster_epoch")
        unsafe wire.sequence = try fields.number(header.sequence, "sequence")
        unsafe wire.payload_byte_count = try fields.count(payloadByteCount, "payload_byte_count")
        unsafe wire.payload_crc32c = payloadChecksum
        unsafe wire.sender_node = header.sender.rawValue
        unsafe wire.session_token = header.token.rawValue
    }
}

extension Fence: @unsafe ProtobufForm {
    typealias Wire = Flowsteer__Cluster__V1__Fence

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__fence__init(wire)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            epoch: try fields.number(wire.epoch, "epoch"),
            attempt: try fields.attempt(wire.attempt, "attempt")
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.epoch = try fields.number(epoch, "epoch")
        unsafe wire.attempt = try fields.attempt(attempt, "attempt")
    }
}

extension Message.Measurement: @unsafe ProtobufForm {
    typealias Wire = Flowsteer__Cluster__V1__Measurement

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__measurement__init(wire)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(name: try fields.text(wire.name, "name", .name), value: wire.value)
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.name = try fields.text(name, "name", .name)
        unsafe wire.value = value
    }
}
