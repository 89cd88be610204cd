import CClusterProto
import Tensors

/// Turns messages into frames and back: `[header][body]`, and `[payload]` for the kinds that carry one.
///
/// Header and body are protobuf, proto3; the payload is raw, so that tensors are never copied through
/// protobuf. Sizes are checked before anything is unpacked, and no bytes whatever make it trap.
package enum MessageCodec {
    /// The frames of a message; throws what the receiver would refuse, so that the sender learns of it.
    package static func encode(
        _ message: Message,
        header: MessageHeader,
        limits: WireLimits = .standard
    ) throws(WireError) -> [[UInt8]] {
        let payload = message.payload
        try limits.check(payload: payload ?? [], of: message.kind)
        let envelope = Envelope(
            header: header,
            kind: message.kind.wire,
            payloadByteCount: payload?.count ?? 0,
            payloadChecksum: payload.map { crc32c($0) } ?? 0
        )
        let body = try message.packedBody()
        let frames = [try envelope.packed(), body] + (payload.map { [$0] } ?? [])
        try limits.check(header: frames[0])
        try limits.check(body: body, of: message.kind)
        return frames
    }

    /// The message in `frames`, of which a router's identity frame was taken off.
    ///
    /// Throws ``WireError/unknownKind(_:)`` for a kind of a later program, to be counted and dropped; anything
    /// else thrown is a violation by the peer or, with
    /// ``WireError/unsupportedVersion(_:supported:)``, worth a ``Message/Refuse``.
    package static func decode(
        frames: [[UInt8]],
        limits: WireLimits = .standard
    ) throws(WireError) -> (header: MessageHeader, message: Message) {
        guard frames.count == 2 || frames.count == 3 else {
            throw .frameCount(message: "message", expected: "2 or 3", actual: frames.count)
        }
        try limits.check(header: frames[0])
        let envelope = try Envelope.unpacked(from: frames[0], payload: [])
        guard let kind = Message.Kind(wireNumber: envelope.kind.rawValue) else {
            throw .unknownKind(envelope.kind.rawValue)
        }
        let frameCount = kind.carriesPayload ? 3 : 2
        guard frames.count == frameCount else {
            throw .frameCount(message: kind.description, expected: "\(frameCount)", actual: frames.count)
        }
        try limits.check(body: frames[1], of: kind)
        let payload = kind.carriesPayload ? frames[2] : []
        try limits.check(payload: payload, of: kind)
        try envelope.check(payload: payload, of: kind)
        return (envelope.header, try Message(kind, body: frames[1], payload: payload))
    }
}
