import CClusterProto

/// The body of a kind that says all by itself.
struct StatusRequestBody: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__StatusRequest

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__status_request__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__status_request__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init() {}

    init(_ wire: Wire, _ fields: FieldReader) {}

    func write(to wire: inout Wire, _ fields: inout FieldWriter) {}
}

extension Message.Status: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__Status

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__status__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__status__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) { self.init(payload: fields.payload) }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) {}
}

extension Message.Command: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__Command

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__command__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__command__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            action: try fields.choice(wire.action, "action"),
            node: wire.node == 0 ? nil : NodeID(wire.node)
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.action = action.wire
        unsafe wire.node = node?.rawValue ?? 0
    }
}
