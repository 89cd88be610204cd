import CZeroMQ

/// A raw socket on its way into a poll; valid on the socket's own thread until the socket is closed.
@safe
struct SocketHandle: @unchecked Sendable {
    let raw: UnsafeMutableRawPointer?
}

/// One libzmq socket, used by one thread at a time and closed when it dies.
@safe
struct Socket: ~Copyable {
    private var raw: UnsafeMutableRawPointer?
    /// Held while the socket is open: a context must outlive its sockets.
    private var context: Context?

    /// Opens a socket of a `ZMQ_…` kind that drops unsent messages when closed.
    init(_ kind: Int32, in context: Context) throws(ZeroMQError) {
        unsafe raw = try context.openSocket(kind)
        self.context = context
        try set(ZMQ_LINGER, to: 0)
    }

    deinit {
        if let raw = unsafe raw { unsafe zmq_close(raw) }
    }

    /// Closes the socket; unsent messages may linger for a while and are then dropped.
    mutating func close(linger: Duration) {
        guard let open = unsafe raw else { return }
        var milliseconds = linger.milliseconds
        // After a shutdown the option cannot be set, and the messages are lost anyway.
        unsafe zmq_setsockopt(open, ZMQ_LINGER, &milliseconds, MemoryLayout<Int32>.size)
        unsafe zmq_close(open)
        unsafe raw = nil
        context = nil
    }

    var isClosed: Bool { unsafe raw == nil }
    var handle: SocketHandle { unsafe SocketHandle(raw: raw) }

    /// Whether the context was shut down under the socket, or the socket is closed.
    var isShutDown: Bool {
        var events: Int32 = 0
        var size = MemoryLayout<Int32>.size
        guard let raw = unsafe raw else { return true }
        return unsafe zmq_getsockopt(raw, ZMQ_EVENTS, &events, &size) != 0 && zmq_errno() == ETERM
    }

    func bind(to endpoint: String) throws(ZeroMQError) -> String {
        try speakIPv6(for: endpoint)
        let raw = unsafe try opened()
        guard unsafe zmq_bind(raw, endpoint) == 0 else { throw .last("zmq_bind", endpoint: endpoint) }
        var text = [CChar](repeating: 0, count: 1024)
        var size = text.count
        guard unsafe zmq_getsockopt(raw, ZMQ_LAST_ENDPOINT, &text, &size) == 0 else {
            throw .last("ZMQ_LAST_ENDPOINT", endpoint: endpoint)
        }
        return String(decoding: text.prefix(max(0, size - 1)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    func connect(to endpoint: String) throws(ZeroMQError) {
        try speakIPv6(for: endpoint)
        guard unsafe zmq_connect(try opened(), endpoint) == 0 else {
            throw .last("zmq_connect", endpoint: endpoint)
        }
    }

    /// Allows IPv6, which is off by default, where an address in brackets asks for it.
    private func speakIPv6(for endpoint: String) throws(ZeroMQError) {
        if endpoint.contains("[") { try set(ZMQ_IPV6, to: 1) }
    }

    func set(_ option: Int32, to value: Int32) throws(ZeroMQError) {
        var value = value
        let size = MemoryLayout<Int32>.size
        guard unsafe zmq_setsockopt(try opened(), option, &value, size) == 0 else {
            throw .last("option \(option)")
        }
    }

    func set(_ option: Int32, toWide value: Int64) throws(ZeroMQError) {
        var value = value
        let size = MemoryLayout<Int64>.size
        guard unsafe zmq_setsockopt(try opened(), option, &value, size) == 0 else {
            throw .last("option \(option)")
        }
    }

    func set(_ option: Int32, to bytes: [UInt8]) throws(ZeroMQError) {
        guard unsafe zmq_setsockopt(try opened(), option, bytes, bytes.count) == 0 else {
            throw .last("option \(option)")
        }
    }

    func set(_ option: Int32, to text: String) throws(ZeroMQError) {
        try set(option, to: Array(text.utf8))
    }

    func opened() throws(ZeroMQError) -> UnsafeMutableRawPointer {
        guard let raw = unsafe raw else { throw .closed }
        return unsafe raw
    }
}

extension Duration {
    /// Whole milliseconds, as libzmq's options want them.
    var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        return Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }
}
