import ClusterMessages
import TestSupport
import Testing
import ZeroMQ

@testable import ClusterRuntime

/// Peers that mean harm, or are broken, against a coordinator's real sockets.
@Suite(.serialized, .timeLimit(.minutes(2))) struct HostilePeerTests {
    /// Connections that are over; those of honest peers go on for as long as a test does.
    private static func ended(_ status: RunStatus) -> Int { status.doors.reduce(0) { $0 + $1.ended } }

    private static let scripts = [
        // 10 MB of garbage.
        "head -c 10000000 /dev/urandom >&3",
        // Half a greeting, and then nothing.
        #"printf '\xff\0\0\0\0\0\0\0\0\x7f\x03' >&3; cat <&3 >/dev/null"#,
        // A greeting a byte at a time.
        #"while :; do printf '\xff' >&3 || exit; sleep 0.05; done"#,
        // A peer without encryption, and a message behind its handshake.
        RawPeer.plainHandshake + #"printf '\0\x02hi' >&3; cat <&3 >/dev/null"#,
    ]

    @Test(arguments: scripts)
    func `bytes that are no handshake get no further than the door`(script: String) async throws {
        try await outlives(Self.ended) { witness in
            let before = Self.ended(try await witness.status())
            let peer = try RawPeer(endpoint: witness.service.controlEndpoint, script: script)
            try await witness.waits(for: Self.ended, above: before)
            withExtendedLifetime(peer) {}
        }
    }

    @Test func `a key nobody listed is counted`() async throws {
        try await outlives(\.refusals) { witness in
            let stranger = try TestNode(keys: .generate())
            let line = try await stranger.connect(
                to: witness.service.controlEndpoint,
                serverKey: witness.run.serverKey
            )
            try await stranger.send(.statusRequest, on: line)
            try await witness.waits(for: \.refusals, above: 0)
            await stranger.close()
        }
    }

    /// What an authorized key sends on the control plane.
    private func attack(
        _ witness: Witness,
        until figure: (RunStatus) -> Int,
        _ body: (TestNode, TestNode.Line) async throws -> Void
    ) async throws {
        let node = try TestNode(keys: witness.run.trainer)
        let line = try await node.connect(
            to: witness.service.controlEndpoint,
            serverKey: witness.run.serverKey
        )
        try await body(node, line)
        try await witness.waits(for: figure, above: 0)
        await node.close()
    }

    @Test func `frames that are no message are counted`() async throws {
        try await outlives(\.refusals) { witness in
            try await attack(witness, until: \.refusals) { _, line in
                var generator = SystemRandomNumberGenerator()
                for _ in 0..<100 {
                    let garbage = (0..<64).map { _ in UInt8.random(in: 0...255, using: &generator) }
                    try await line.channel.send([garbage, garbage])
                }
            }
        }
    }

    @Test func `what is said before hello is refused and counted`() async throws {
        try await outlives(\.refusals) { witness in
            try await attack(witness, until: \.refusals) { node, line in
                try await node.send(.workCredit(.init(batchCount: 1, byteCount: 1)), on: line)
                #expect(try await node.next(on: line) { $0.asRefusal } == .staleEpoch)
            }
        }
    }

    @Test func `a message of five frames is dropped and counted`() async throws {
        let figure: (RunStatus) -> Int = { $0.doors.reduce(0) { $0 + $1.tooManyFrames } }
        try await outlives(figure) { witness in
            try await attack(witness, until: figure) { _, line in
                try await line.channel.send(Array(repeating: [1], count: 5))
            }
        }
    }

    @Test func `a frame a little too long is dropped, and one much too long ends its connection`()
        async throws
    {
        let tooLarge: (RunStatus) -> Int = { $0.doors.reduce(0) { $0 + $1.tooLarge } }
        try await outlives(tooLarge) { witness in
            try await attack(witness, until: tooLarge) { _, line in
                try await line.channel.send([[UInt8](repeating: 0, count: (1 << 20) + 1)])
            }
        }
        try await outlives(Self.ended) { witness in
            let before = Self.ended(try await witness.status())
            try await attack(witness, until: { Self.ended($0) - before }) { _, line in
                try await line.channel.send([[UInt8](repeating: 0, count: (4 << 20) + 1)])
            }
        }
    }

    @Test func `a message of very many frames is cut off or dropped`() async throws {
        let figure: (RunStatus) -> Int = { $0.doors.reduce(0) { $0 + $1.tooManyFrames + $1.cut } }
        try await outlives(figure) { witness in
            try await attack(witness, until: figure) { _, line in
                let frame = [UInt8](repeating: 0, count: 8 << 10)
                try await line.channel.send(Array(repeating: frame, count: 5_000))
            }
        }
    }

    @Test func `a flood is thinned out, and the others are heard meanwhile`() async throws {
        let figure: (RunStatus) -> Int = { $0.doors.reduce(0) { $0 + $1.tooFast } }
        try await outlives(figure) { witness in
            try await attack(witness, until: figure) { _, line in
                // Until more arrives in a second than may, however slow the machine is.
                while figure(try await witness.status()) == 0 {
                    for _ in 0..<8_000 {
                        // What does not fit into the sender's own queues is not sent at all.
                        try? await line.channel.send([[1], [1]])
                    }
                    try await witness.isHeard()
                }
            }
        }
    }

    // MARK: Roles

    @Test(arguments: Role.allCases.filter { $0 != .coordinator })
    func `a key may say what its role may, and nothing else`(role: Role) throws {
        let key = try CurveKeyPair.generate().publicKey
        let nodes = try AuthorizedNodes(text: "a \(role) \(key)", path: "nodes")
        let doorman = Doorman(runID: "run", authorized: nodes)
        for message in HarmfulMessages.all {
            let header = MessageHeader(
                runID: "run",
                sender: .coordinator,
                token: SessionToken(0),
                incarnation: Incarnation(1),
                epoch: 0,
                sequence: 1
            )
            let received = ReceivedMessage(
                peer: RoutingID([1]),
                frames: try MessageCodec.encode(message, header: header),
                userID: key
            )
            let isLetIn = (try? doorman.inspect(received)) != nil
            #expect(isLetIn == message.kind.allowedSenders.contains(role), "\(message.kind)")
        }
    }
}

private enum HarmfulMessages {
    /// One message of each of the kinds that do harm in the wrong mouth.
    static var all: [Message] {
        [
            .finish, .statusRequest, .status(Message.Status(payload: [])), .drain(Message.Drain(reason: "x")),
            .command(Message.Command(action: .pause, node: nil)),
            .goodbye(Message.Goodbye(reason: "", returningLeases: [])),
            .workCredit(Message.WorkCredit(batchCount: 1, byteCount: 1)),
            .leaseCancel(Message.LeaseCancel(batch: BatchID(1), fence: Fence(epoch: 1, attempt: 0))),
            .release(Message.Release(batch: BatchID(1), hash: hash(1))),
            .roundOpen(Message.RoundOpen(round: RoundNumber(1), localStepCount: 1)),
            .roundCut(Message.RoundCut(round: RoundNumber(1))),
            .roundAborted(Message.RoundAborted(round: RoundNumber(1), reason: "x")),
            .fetch(Message.Fetch(hash: hash(1), offset: 0, creditByteCount: 1)),
            .offerFragment(
                Message.OfferFragment(round: RoundNumber(1), segment: "s", offset: 0, payload: [0])
            ),
            .manifestRequest(.round(RoundNumber(1))),
            .chunkRequest(Message.ChunkRequest(hash: hash(1), offset: 0, creditByteCount: 1)),
            .announce(Message.Announce(round: RoundNumber(1), manifestHash: hash(1))),
            .consumed(
                Message.Consumed(
                    batch: BatchID(1),
                    hash: hash(1),
                    round: RoundNumber(1),
                    localStep: 0,
                    sampleCount: 1,
                    useCount: 1
                )
            ),
        ]
    }
}
