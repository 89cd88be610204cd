import CClusterProto

/// A value that has a protobuf message of its own.
protocol ProtobufForm: Sendable {
    /// The generated C structure; its first member is a `ProtobufCMessage`.
    associatedtype Wire

    /// The message's name in errors.
    static var messageName: String { get }

    /// Gives every field its default and the structure its descriptor.
    static func prepare(_ wire: UnsafeMutablePointer<Wire>)

    /// Reads an unpacked structure and checks every field of it.
    init(_ wire: Wire, _ fields: FieldReader) throws(WireError)

    /// Fills a prepared structure; what its pointers point to belongs to `fields`.
    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError)
}

extension ProtobufForm {
    static var messageName: String { "\(Self.self)" }
}

/// A value that fills a frame of its own.
protocol FrameBody: Sendable {
    /// Unpacks a frame whose length was checked, and checks every field.
    static func unpacked(from frame: [UInt8], payload: [UInt8]) throws(WireError) -> Self

    /// The frame.
    func packed() throws(WireError) -> [UInt8]
}

/// A value that fills a frame of its own with a protobuf message.
protocol ProtobufBody: ProtobufForm {
    /// Unpacks bytes into memory from `allocator`; nil when they are not such a message.
    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>?
}

extension ProtobufBody {
    @safe
    static func unpacked(from frame: [UInt8], payload: [UInt8]) throws(WireError) -> Self {
        try ProtobufOwner<Self>(unpacking: frame).value(payload: payload)
    }

    @safe
    func packed() throws(WireError) -> [UInt8] { try FieldWriter.pack(self) }
}
