import ClusterMessages
import Testing

@Suite struct MessageCodecTests {
    @Test(arguments: Message.Kind.allCases)
    func `a message of every kind survives the wire`(kind: Message.Kind) throws {
        let message = try #require(SampleMessages.message(of: kind))
        let frames = try MessageCodec.encode(message, header: SampleMessages.header)
        let decoded = try MessageCodec.decode(frames: frames)
        #expect(decoded.message == message)
        #expect(decoded.header == SampleMessages.header)
        #expect(frames.count == (kind.carriesPayload ? 3 : 2))
    }

    @Test(arguments: optionalFieldsAbsent)
    func `absent optional fields and empty lists survive the wire`(message: Message) throws {
        let frames = try MessageCodec.encode(message, header: SampleMessages.header)
        #expect(try MessageCodec.decode(frames: frames).message == message)
    }

    @Test func `what later programs added to hello and welcome survives the wire`() throws {
        let hash = try #require(ContentHash([UInt8](repeating: 9, count: 32)))
        let hello = Message.Hello(
            role: .rollout,
            name: "a",
            protocolVersions: 1...1,
            build: "",
            teacherHash: nil,
            trajectoriesEndpoint: nil,
            trajectoriesPublicKey: nil,
            batchCapacity: 1,
            heldLeases: [],
            heldTrajectories: [],
            round: .initial,
            parameterHash: nil,
            machine: "kernels 2, BLAS SkylakeX"
        )
        let welcome = Message.Welcome(
            node: NodeID(1),
            token: SessionToken(1),
            configuration: "",
            pingInterval: .seconds(1),
            deadInterval: .seconds(2),
            averagingEndpoint: "",
            checkpointEndpoint: "",
            announcementEndpoint: "",
            serverPublicKey: nil,
            latestRound: .initial,
            manifestHash: nil,
            trainerPublicKeys: [],
            parameterHash: hash
        )
        for message in [Message.hello(hello), .welcome(welcome)] {
            let frames = try MessageCodec.encode(message, header: SampleMessages.header)
            #expect(try MessageCodec.decode(frames: frames).message == message)
        }
    }

    @Test func `a header before the welcome survives the wire`() throws {
        let header = MessageHeader(
            runID: "",
            sender: .coordinator,
            token: SessionToken(0),
            incarnation: Incarnation(1),
            epoch: 0,
            sequence: 0
        )
        let frames = try MessageCodec.encode(.finish, header: header)
        #expect(try MessageCodec.decode(frames: frames).header == header)
    }

    @Test func `a not-a-number loss arrives as one`() throws {
        let report = Message.StepReport(
            round: .initial,
            localStep: 0,
            sampleCount: 1,
            losses: [.init(name: "velocity", value: .nan)],
            gradientNorms: []
        )
        let frames = try MessageCodec.encode(.stepReport(report), header: SampleMessages.header)
        guard case .stepReport(let arrived) = try MessageCodec.decode(frames: frames).message else {
            Issue.record("another kind arrived")
            return
        }
        #expect(arrived.losses.first?.value.isNaN == true)
    }

    @Test func `durations are cut to what the wire holds`() throws {
        let ping = Message.Ping(
            progress: 0,
            heldByteCount: 0,
            activity: "",
            computeTime: .nanoseconds(1_999),
            waitTime: .seconds(-1),
            wireTime: .seconds(Int64.max / 2),
            peakMemoryByteCount: 0
        )
        let frames = try MessageCodec.encode(.ping(ping), header: SampleMessages.header)
        guard case .ping(let arrived) = try MessageCodec.decode(frames: frames).message else {
            Issue.record("another kind arrived")
            return
        }
        #expect(arrived.computeTime == .microseconds(1))
        #expect(arrived.waitTime == .zero)
        #expect(arrived.wireTime == .microseconds(1 << 48))
    }

    @Test func `words for people are shortened between characters and lose their NULs`() throws {
        let refuse = Message.Refuse(code: .internal, text: "a\0b" + String(repeating: "é", count: 5_000))
        let frames = try MessageCodec.encode(.refuse(refuse), header: SampleMessages.header)
        guard case .refuse(let arrived) = try MessageCodec.decode(frames: frames).message else {
            Issue.record("another kind arrived")
            return
        }
        // 3 bytes, then 2 for each é: the last of 4096 bytes would be half of one.
        #expect(arrived.text == "a b" + String(repeating: "é", count: 2046))
    }

    private static let optionalFieldsAbsent: [Message] = [
        .hello(
            .init(
                role: .operator,
                name: "",
                protocolVersions: 0...0,
                build: "",
                teacherHash: nil,
                trajectoriesEndpoint: nil,
                trajectoriesPublicKey: nil,
                batchCapacity: 0,
                heldLeases: [],
                heldTrajectories: [],
                round: .initial,
                parameterHash: nil
            )
        ),
        .pong(.init(latestRound: .initial, manifestHash: nil, state: .running, trainerPublicKeys: [])),
        .fetchError(.init(hash: nil, code: .notFound, text: "")),
        .manifestRequest(.round(.initial)),
        .manifestRequest(.round(RoundNumber(3))),
        .command(.init(action: .pause, node: nil)),
        .status(.init(payload: [])),
        .goodbye(.init(reason: "", returningLeases: [])),
        .lease(
            .init(
                batch: BatchID(0),
                fence: Fence(epoch: 0, attempt: 0),
                deadline: .zero,
                prompts: [.init(id: 0, sample: 0, text: "")],
                seed: 0
            )
        ),
    ]
}
