import CZeroMQ

/// Two sockets and nothing else: what libzmq itself carries from a PUSH to a PULL over CURVE on this machine.
///
/// The sender hands over bytes that stay where they are, the receiver looks at none: no copy but libzmq's own. It is what
/// transfers are compared with.
package final class RawPush: Sendable {
    /// Whole messages that may wait at each end.
    private static let highWaterMark: Int32 = 16
    private static let domain = "raw"

    private let sender: RawEnd
    private let receiver: RawEnd
    private let messageByteCount: Int

    /// Connects both ends, each with a context, and so an I/O thread, of its own.
    package init(messageByteCount: Int) throws(ZeroMQError) {
        precondition(messageByteCount >= 1, "a message has bytes, not \(messageByteCount)")
        self.messageByteCount = messageByteCount
        let (server, client) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        let context = try Context()
        sender = try RawEnd(
            ZMQ_PUSH,
            in: context,
            security: .curveServer(server, domain: Self.domain),
            highWaterMark: Self.highWaterMark,
            authenticator: Authenticator(in: context, allowed: [Self.domain: [client.publicKey]])
        )
        receiver = try RawEnd(
            ZMQ_PULL,
            in: Context(),
            security: .curveClient(client, serverKey: server.publicKey),
            highWaterMark: Self.highWaterMark
        )
        try receiver.connect(to: try sender.bind())
    }

    /// Sends so many messages; the time from the first one's way out to the last one's arrival.
    package func push(_ count: Int) async throws -> Duration {
        let bytes = [UInt8](repeating: 0x5A, count: messageByteCount)
        let clock = ContinuousClock()
        let start = clock.now
        async let sent: Void = sender.send(bytes, count: count)
        try await receiver.receive(count: count)
        let time = start.duration(to: clock.now)
        try await sent
        return time
    }

    /// Closes both ends.
    package func close() async {
        await sender.close()
        await receiver.close()
    }
}

/// A socket that one thread at a time uses, started anew for each call.
private final class RawEnd: @unchecked Sendable {
    private var socket: Socket
    private let context: Context
    private let authenticator: Authenticator?

    init(
        _ kind: Int32,
        in context: Context,
        security: SocketSecurity,
        highWaterMark: Int32,
        authenticator: Authenticator? = nil
    ) throws(ZeroMQError) {
        socket = try Socket(kind, in: context)
        self.context = context
        self.authenticator = authenticator
        try security.apply(to: socket)
        try socket.set(ZMQ_SNDHWM, to: highWaterMark)
        try socket.set(ZMQ_RCVHWM, to: highWaterMark)
    }

    func bind() throws(ZeroMQError) -> String { try socket.bind(to: "tcp://127.0.0.1:*") }

    func connect(to endpoint: String) throws(ZeroMQError) { try socket.connect(to: endpoint) }

    /// Only when no call is under way: a context waits for its sockets.
    func close() async {
        socket.close(linger: .zero)
        await context.terminate()
    }

    func send(_ bytes: [UInt8], count: Int) async throws {
        try await onThread(named: "raw-push") {
            for _ in 0..<count { try self.socket.sendInPlace(bytes) }
        }
    }

    func receive(count: Int) async throws {
        try await onThread(named: "raw-pull") {
            for _ in 0..<count { try self.socket.discardMessage() }
        }
    }

    private func onThread(named name: String, _ body: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            startThread(named: name) { continuation.resume(with: Result(catching: body)) }
        }
    }
}

extension Socket {
    /// Waits until a one-frame message whose bytes outlive the call by far is taken, without copying them.
    fileprivate func sendInPlace(_ bytes: [UInt8]) throws(ZeroMQError) {
        let raw = unsafe try opened()
        var frame = zmq_msg_t()
        unsafe bytes.withUnsafeBytes { buffer in
            // Without a function that frees them, libzmq takes the bytes for constants.
            let data = unsafe UnsafeMutableRawPointer(mutating: buffer.baseAddress)
            _ = unsafe zmq_msg_init_data(&frame, data, buffer.count, nil, nil)
        }
        while unsafe zmq_msg_send(&frame, raw, 0) < 0 {
            guard zmq_errno() == EINTR else {
                unsafe zmq_msg_close(&frame)
                throw .last("zmq_msg_send")
            }
        }
    }

    /// Waits for a message and drops it.
    fileprivate func discardMessage() throws(ZeroMQError) {
        let raw = unsafe try opened()
        var frame = zmq_msg_t()
        unsafe zmq_msg_init(&frame)
        defer { unsafe zmq_msg_close(&frame) }
        while unsafe zmq_msg_recv(&frame, raw, 0) < 0 {
            guard zmq_errno() == EINTR else { throw .last("zmq_msg_recv") }
        }
    }
}
