import CClusterProto

/// What protobuf-c unpacked from one frame, freed when this dies.
@safe
struct ProtobufOwner<Body: ProtobufBody>: ~Copyable {
    private let wire: UnsafeMutablePointer<Body.Wire>

    /// Unpacks a frame whose length was checked.
    ///
    /// A few bytes on the wire can ask for many in memory, as an empty element of a list does, so memory is
    /// bounded too: sixteen times the frame and room for a list of honest length.
    init(unpacking frame: [UInt8]) throws(WireError) {
        var budget = 16 * frame.count + (256 << 10)
        let unpacked = unsafe withUnsafeMutablePointer(to: &budget) { budget in
            var allocator = unsafe ProtobufCAllocator(
                alloc: boundedAllocate,
                free: deallocate,
                allocator_data: budget
            )
            return unsafe frame.withUnsafeBufferPointer { unsafe Body.unpack($0, &allocator) }
        }
        guard let unpacked = unsafe unpacked else {
            throw .malformed(message: Body.messageName, byteCount: frame.count)
        }
        unsafe wire = unpacked
    }

    deinit {
        var allocator = unsafe ProtobufCAllocator(alloc: nil, free: deallocate, allocator_data: nil)
        unsafe UnsafeMutableRawPointer(wire).withMemoryRebound(to: ProtobufCMessage.self, capacity: 1) {
            unsafe protobuf_c_message_free_unpacked($0, &allocator)
        }
    }

    /// The value, its fields checked, with the payload that came beside it.
    borrowing func value(payload: [UInt8]) throws(WireError) -> Body {
        unsafe try Body(wire.pointee, FieldReader(message: Body.messageName, payload: payload))
    }
}

/// Allocates within the budget, an `Int` of bytes left, that `data` points to; nil beyond it.
private func boundedAllocate(data: UnsafeMutableRawPointer?, byteCount: Int) -> UnsafeMutableRawPointer? {
    guard let budget = unsafe data?.assumingMemoryBound(to: Int.self) else { return nil }
    guard byteCount >= 0, unsafe byteCount <= budget.pointee else { return nil }
    unsafe budget.pointee -= byteCount
    return UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 16)
}

/// Frees what `boundedAllocate` gave.
private func deallocate(data: UnsafeMutableRawPointer?, pointer: UnsafeMutableRawPointer?) {
    unsafe pointer?.deallocate()
}
