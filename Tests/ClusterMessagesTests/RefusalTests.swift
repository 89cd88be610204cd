import ClusterMessages
import Testing

@Suite struct RefusalTests {
    private let finish: [[UInt8]]

    init() throws { finish = try MessageCodec.encode(.finish, header: SampleMessages.header) }

    @Test func `oversize frames are refused without a look inside`() throws {
        let huge = [UInt8](repeating: 0xff, count: (1 << 20) + 1)
        #expect(
            throws: WireError.frameTooLarge(
                message: "message",
                part: "header",
                byteCount: huge.count,
                limit: 4 << 10
            )
        ) { try MessageCodec.decode(frames: [huge, []]) }
        #expect(
            throws: WireError.frameTooLarge(
                message: "finish",
                part: "body",
                byteCount: huge.count,
                limit: 60 << 10
            )
        ) { try MessageCodec.decode(frames: [finish[0], huge]) }
        let welcome = try #require(goldenFrames["welcome"])
        #expect(
            throws: WireError.frameTooLarge(
                message: "welcome",
                part: "body",
                byteCount: huge.count,
                limit: 1 << 20
            )
        ) { try MessageCodec.decode(frames: [welcome[0], huge]) }
        let chunk = try #require(goldenFrames["chunk"])
        #expect(
            throws: WireError.frameTooLarge(
                message: "chunk",
                part: "payload",
                byteCount: huge.count,
                limit: 1 << 20
            )
        ) { try MessageCodec.decode(frames: [chunk[0], chunk[1], huge]) }
    }

    @Test func `a payload of exactly the limit passes and one byte more is not sent`() throws {
        func chunk(_ count: Int) -> Message {
            .chunk(
                .init(
                    hash: SampleMessages.hash(1),
                    offset: 0,
                    totalByteCount: count,
                    payload: [UInt8](repeating: 7, count: count)
                )
            )
        }
        let frames = try MessageCodec.encode(chunk(1 << 20), header: SampleMessages.header)
        #expect(try MessageCodec.decode(frames: frames).message == chunk(1 << 20))
        #expect(throws: WireError.self) {
            try MessageCodec.encode(chunk((1 << 20) + 1), header: SampleMessages.header)
        }
    }

    @Test func `a payload with a wrong checksum or length is refused`() throws {
        var frames = try #require(goldenFrames["chunk"])
        frames[2][0] ^= 1
        do {
            _ = try MessageCodec.decode(frames: frames)
            Issue.record("a corrupt payload was accepted")
        } catch WireError.payloadChecksum(let message, let declared, let actual) {
            #expect(message == "chunk")
            #expect(declared != actual)
        }
        frames[2].removeLast()
        #expect(throws: WireError.payloadLength(message: "chunk", declared: 4, actual: 3)) {
            try MessageCodec.decode(frames: frames)
        }
    }

    @Test func `a newer protocol version is refused in words`() throws {
        let header = MessageHeader(
            protocolVersion: 2,
            runID: "r",
            sender: NodeID(1),
            token: SessionToken(1),
            incarnation: Incarnation(1),
            epoch: 1,
            sequence: 1
        )
        let frames = try MessageCodec.encode(.finish, header: header)
        do {
            _ = try MessageCodec.decode(frames: frames)
            Issue.record("version 2 was accepted")
        } catch {
            #expect(error == .unsupportedVersion(2, supported: 1...1))
            #expect(
                error.description
                    == "the peer speaks protocol version 2, this program speaks 1; update this program"
            )
        }
    }

    @Test func `a header without a version is refused`() {
        #expect(throws: WireError.unsupportedVersion(0, supported: 1...1)) {
            try MessageCodec.decode(frames: [[], []])
        }
    }

    @Test(arguments: [0, 9, 200] as [UInt8])
    func `an unknown kind is named, not guessed`(number: UInt8) {
        // Fields 1 and 2 of the header: version 1 and the kind.
        let header: [UInt8] = number < 128 ? [8, 1, 16, number] : [8, 1, 16, number, 1]
        #expect(throws: WireError.unknownKind(UInt32(number))) {
            try MessageCodec.decode(frames: [header, []])
        }
    }

    @Test func `unknown fields are ignored`() throws {
        // Field 1000 as a varint, field 1001 as bytes.
        let unknown: [UInt8] = [0xc0, 0x3e, 5, 0xca, 0x3e, 3, 1, 2, 3]
        for (name, frames) in goldenFrames {
            var extended = frames
            extended[0] += unknown
            extended[1] += unknown
            let decoded = try MessageCodec.decode(frames: extended)
            #expect(try decoded.message == MessageCodec.decode(frames: frames).message, "\(name)")
        }
    }

    @Test func `a payload where none belongs and none where one belongs are refused`() throws {
        #expect(throws: WireError.frameCount(message: "finish", expected: "2", actual: 3)) {
            try MessageCodec.decode(frames: finish + [[]])
        }
        let chunk = try #require(goldenFrames["chunk"])
        #expect(throws: WireError.frameCount(message: "chunk", expected: "3", actual: 2)) {
            try MessageCodec.decode(frames: Array(chunk.prefix(2)))
        }
    }
}
