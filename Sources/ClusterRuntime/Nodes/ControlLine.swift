import ClusterMessages
import ZeroMQ

/// What a connection reacts to.
enum ConnectionInput: Sendable {
    case post([Message])
    case renew
    /// From the socket of this number.
    case received(Int, ReceivedMessage)
    case tick
}

/// The socket of the control plane, replaced whenever the connection is given up, and the numbering of what is sent.
struct ControlLine {
    /// Counts the sockets, so that what an old one still delivers is known as such.
    private(set) var number = 0
    private var channel: Channel?
    /// Goes on over sockets: the coordinator takes a gap as a lost message.
    private var sequence: UInt64 = 0
    private let options: WorkerOptions
    private let network: NodeNetwork
    private let input: AsyncStream<ConnectionInput>.Continuation

    /// - Parameter input: takes what comes in.
    init(
        _ options: WorkerOptions,
        network: NodeNetwork,
        input: AsyncStream<ConnectionInput>.Continuation
    ) {
        self.options = options
        self.network = network
        self.input = input
    }

    /// Connects anew.
    mutating func open() async throws(NodeError) {
        await channel?.close()
        number += 1
        let channel = try await network.connect(
            .dealer,
            to: options.coordinatorEndpoint,
            serverKey: options.coordinatorKey
        )
        Task { [number, input] in
            for await message in channel.messages { input.yield(.received(number, message)) }
        }
        self.channel = channel
    }

    /// Sends a message.
    ///
    /// One that cannot be sent makes a gap, which the coordinator answers with a refusal.
    mutating func send(_ message: Message) async {
        sequence += 1
        let header = network.signature.header(sequence: sequence)
        do {
            let frames = try MessageCodec.encode(message, header: header)
            try await channel?.send(frames)
        } catch {
            return
        }
    }

    /// Sends a last message and closes.
    mutating func close(saying farewell: Message) async {
        await send(farewell)
        await channel?.close(linger: .seconds(1))
        channel = nil
    }
}
