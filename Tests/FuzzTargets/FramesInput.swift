import ClusterMessages
import Tensors

/// Frames laid out in the one run of bytes that a fuzzer works on.
///
/// The first byte says in seven bits which kind of message it is, by its number on the wire, and in the eighth
/// whether there is a payload. For a real kind the header is made here, so that the fuzzer need not find a
/// checksum: two bytes of length, little-endian, then the body, then the payload. For kind 0 the header, too,
/// comes from the input, laid out before the body as the body is.
struct FramesInput {
    let frames: [[UInt8]]

    init(_ input: [UInt8]) {
        var rest = input[...]
        let first = rest.popFirst() ?? 0
        let (kind, hasPayload) = (first & 0x7f, first & 0x80 != 0)
        var frames = [kind == 0 ? Self.part(of: &rest) : [], Self.part(of: &rest)]
        let payload = hasPayload ? Array(rest) : []
        if kind != 0 { frames[0] = Self.header(ofKind: kind, payload: hasPayload ? payload : nil) }
        self.frames = frames + (hasPayload ? [payload] : [])
    }

    private static func part(of rest: inout ArraySlice<UInt8>) -> [UInt8] {
        let length = Int(rest.popFirst() ?? 0) | Int(rest.popFirst() ?? 0) << 8
        defer { rest = rest.dropFirst(length) }
        return Array(rest.prefix(length))
    }

    /// A header in order, but for what is stated again at its end: of two equal fields, protobuf takes the second.
    private static func header(ofKind kind: UInt8, payload: [UInt8]?) -> [UInt8] {
        let header = MessageHeader(
            runID: "emoji",
            sender: NodeID(3),
            token: SessionToken(5),
            incarnation: Incarnation(7),
            epoch: 2,
            sequence: 9
        )
        guard let frames = try? MessageCodec.encode(.finish, header: header) else { return [] }
        guard let payload else { return frames[0] + [0x10, kind] }
        let (count, checksum) = (payload.count, crc32c(payload))
        let varint = stride(from: 0, through: 21, by: 7).map {
            UInt8(count >> $0 & 0x7f) | ($0 < 21 ? 0x80 : 0)
        }
        let fixed = stride(from: 0, through: 24, by: 8).map { UInt8(truncatingIfNeeded: checksum >> $0) }
        return frames[0] + [0x10, kind, 0x38] + varint + [0x45] + fixed
    }

    /// Decodes the frames, and sends on what was decoded: nothing that is let in may break the sender.
    func check() throws(FuzzFinding) { try checkDecoding(of: frames) }
}

/// Decodes frames, and sends on what was decoded; throws if that is refused, or is another message then.
package func checkDecoding(of frames: [[UInt8]]) throws(FuzzFinding) {
    guard let decoded = try? MessageCodec.decode(frames: frames) else { return }
    do {
        let again = try MessageCodec.encode(decoded.message, header: decoded.header)
        let twice = try MessageCodec.decode(frames: again)
        // A loss that is not a number equals nothing, but its bytes do.
        if twice == decoded { return }
        if try MessageCodec.encode(twice.message, header: twice.header) == again { return }
    } catch {
        throw FuzzFinding("what is decoded from \(frames) cannot be sent on: \(error)")
    }
    throw FuzzFinding("what is decoded from \(frames) changes when sent on")
}
