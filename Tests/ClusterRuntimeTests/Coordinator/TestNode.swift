import ClusterMessages
import ZeroMQ

@testable import ClusterRuntime

/// A node made of nothing but sockets and the codec: it says what a test tells it to.
final class TestNode {
    struct Silence: Error {}

    let keys: CurveKeyPair
    private let context: Context
    private let thread = SocketThread(name: "test-node")
    private let incarnation = Incarnation.random()
    private var welcome: Message.Welcome?
    private var runID = ""

    /// One plane of its conversation.
    final class Line {
        let channel: Channel
        var sequence: UInt64 = 0
        var messages: AsyncStream<ReceivedMessage>.Iterator

        init(_ channel: Channel) {
            self.channel = channel
            messages = channel.messages.makeAsyncIterator()
        }
    }

    init(keys: CurveKeyPair) throws {
        self.keys = keys
        context = try Context()
    }

    func connect(to endpoint: String, serverKey: CurvePublicKey) async throws -> Line {
        let security = SocketSecurity.curveClient(keys, serverKey: serverKey)
        let channel = try Channel(.dealer, in: context, on: thread, security: security)
        try await channel.connect(to: endpoint)
        return Line(channel)
    }

    /// Hears what the publisher at an endpoint says.
    func subscribe(to endpoint: String, serverKey: CurvePublicKey) async throws -> Line {
        let security = SocketSecurity.curveClient(keys, serverKey: serverKey)
        let channel = try Channel(.subscriber, in: context, on: thread, security: security)
        try await channel.connect(to: endpoint)
        try await channel.subscribe()
        return Line(channel)
    }

    func send(_ message: Message, on line: Line) async throws {
        line.sequence += 1
        let header = MessageHeader(
            runID: runID,
            sender: welcome?.node ?? .coordinator,
            token: welcome?.token ?? SessionToken(0),
            incarnation: incarnation,
            epoch: 0,
            sequence: line.sequence
        )
        try await line.channel.send(try MessageCodec.encode(message, header: header))
    }

    /// The next message on a plane; a test's time limit ends a wait in vain.
    func next(on line: Line) async throws -> Message {
        guard let received = await line.messages.next(isolation: #isolation) else { throw Silence() }
        let (header, message) = try MessageCodec.decode(frames: received.frames)
        if case .welcome(let welcome) = message {
            self.welcome = welcome
            runID = header.runID
        }
        return message
    }

    /// The next message of the wanted kind; others are passed over.
    func next<Value>(on line: Line, _ wanted: (Message) -> Value?) async throws -> Value {
        while true {
            if let value = wanted(try await next(on: line)) { return value }
        }
    }

    func hello(
        _ role: Role,
        teacher: ContentHash?,
        parameters: ContentHash? = nil,
        round: RoundNumber = .initial
    ) -> Message {
        .hello(
            Message.Hello(
                role: role,
                name: "test \(role)",
                protocolVersions: MessageHeader.supportedVersions,
                build: "test",
                teacherHash: teacher,
                trajectoriesEndpoint: role == .rollout ? "tcp://127.0.0.1:9" : nil,
                trajectoriesPublicKey: role == .rollout ? keys.publicKey.text : nil,
                batchCapacity: 1,
                heldLeases: [],
                heldTrajectories: [],
                round: round,
                parameterHash: parameters
            )
        )
    }

    func close() async { await context.terminate() }
}
