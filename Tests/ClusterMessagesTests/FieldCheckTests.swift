import ClusterMessages
import Testing

/// Bodies are written by hand here: tag byte `field << 3 | type`, type 0 varint and 2 bytes.
@Suite struct FieldCheckTests {
    @Test(arguments: refused)
    func `a field that is missing or out of bounds is named`(body: RefusedBody) throws {
        let header = try #require(goldenFrames[body.kind.rawValue])[0]
        do {
            let decoded = try MessageCodec.decode(frames: [header, body.bytes])
            Issue.record("accepted as \(decoded.message)")
        } catch WireError.invalidField(let message, let field, let expected, _) {
            #expect("\(message).\(field)" == body.field)
            #expect(expected == body.expected)
        }
    }

    @Test func `a chunk beyond the end of the whole is refused`() throws {
        let chunk = Message.Chunk(
            hash: SampleMessages.hash(1),
            offset: 8,
            totalByteCount: 10,
            payload: [1, 2, 3]
        )
        let frames = try MessageCodec.encode(.chunk(chunk), header: SampleMessages.header)
        #expect(
            throws: WireError.invalidField(
                message: "Chunk",
                field: "offset",
                expected: "3 bytes of payload within 10",
                actual: "8"
            )
        ) { try MessageCodec.decode(frames: frames) }
    }

    @Test(arguments: unsendable)
    func `what the receiver would refuse is not sent`(message: Message) {
        #expect(throws: WireError.self) {
            try MessageCodec.encode(message, header: SampleMessages.header)
        }
    }

    struct RefusedBody: Sendable, CustomTestStringConvertible {
        let kind: Message.Kind
        let bytes: [UInt8]
        let field: String
        let expected: String

        var testDescription: String { field }
    }

    private static let hash = [UInt8](repeating: 5, count: 32)
    private static let largest: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]
    private static let fence: [UInt8] = [0x12, 2, 8, 1]

    private static let refused: [RefusedBody] = [
        .init(kind: .release, bytes: [8, 1], field: "Release.hash", expected: "32 bytes"),
        .init(
            kind: .release,
            bytes: [8, 1, 0x12, 33] + hash + [0],
            field: "Release.hash",
            expected: "32 bytes"
        ),
        .init(
            kind: .release,
            bytes: [8] + largest + [0x12, 32] + hash,
            field: "Release.batch",
            expected: "at most 281474976710656"
        ),
        .init(kind: .leaseCancel, bytes: [8, 1], field: "LeaseCancel.fence", expected: "a value"),
        .init(
            kind: .leaseCancel,
            bytes: [8, 1, 0x12, 6, 0x10, 0xff, 0xff, 0xff, 0xff, 0x0f],
            field: "LeaseCancel.fence.attempt",
            expected: "at most 2147483648"
        ),
        .init(
            kind: .command,
            bytes: [],
            field: "Command.action",
            expected: "one of 1 pause, 2 resume, 3 drain, 4 checkpoint"
        ),
        .init(
            kind: .command,
            bytes: [8, 5],
            field: "Command.action",
            expected: "one of 1 pause, 2 resume, 3 drain, 4 checkpoint"
        ),
        .init(kind: .drain, bytes: [0x0a, 2, 0xc3, 0x28], field: "Drain.reason", expected: "UTF-8"),
        .init(
            kind: .drain,
            bytes: [0x0a, 0x81, 0x20] + [UInt8](repeating: 65, count: 4097),
            field: "Drain.reason",
            expected: "at most 4096 bytes"
        ),
        .init(
            kind: .manifestRequest,
            bytes: [],
            field: "ManifestRequest.selector",
            expected: "a round or a hash"
        ),
        .init(
            kind: .pong,
            bytes: [0x18, 1, 0x22, 3, 65, 66, 67],
            field: "Pong.trainer_public_keys",
            expected: "40 characters of Z85"
        ),
        .init(
            kind: .pong,
            bytes: [0x18, 1, 0x22, 40] + [UInt8](repeating: UInt8(ascii: " "), count: 40),
            field: "Pong.trainer_public_keys",
            expected: "40 characters of Z85"
        ),
        .init(
            kind: .hello,
            bytes: [8, 2, 0x18, 3, 0x20, 2],
            field: "Hello.protocol_minimum",
            expected: "at most the maximum, 2"
        ),
        .init(
            kind: .stepReport,
            bytes: Array(repeatElement([UInt8(0x22), 0], count: 65).joined()),
            field: "StepReport.losses",
            expected: "at most 64 elements"
        ),
        .init(
            kind: .lease,
            bytes: fence + [0x22, 4, 0x1a, 2, 0xff, 0xfe],
            field: "Lease.prompts.text",
            expected: "UTF-8"
        ),
    ]

    private static let unsendable: [Message] = [
        .offerAccepted(
            .init(
                round: .initial,
                segment: "a\0b",
                nextOffset: 0,
                creditByteCount: 0,
                isComplete: false
            )
        ),
        .offerAccepted(
            .init(
                round: .initial,
                segment: String(repeating: "s", count: 129),
                nextOffset: 0,
                creditByteCount: 0,
                isComplete: false
            )
        ),
        .pong(.init(latestRound: .initial, manifestHash: nil, state: .running, trainerPublicKeys: [""])),
        .stepReport(
            .init(
                round: .initial,
                localStep: 0,
                sampleCount: 0,
                losses: Array(repeating: .init(name: "l", value: 0), count: 65),
                gradientNorms: []
            )
        ),
        .lease(
            .init(
                batch: BatchID(0),
                fence: SampleMessages.fence,
                deadline: .zero,
                prompts: Array(
                    repeating: .init(id: 0, sample: 0, text: String(repeating: "p", count: 16 << 10)),
                    count: 65
                ),
                seed: 0
            )
        ),
    ]
}
