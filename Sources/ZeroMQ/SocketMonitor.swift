import CZeroMQ

/// libzmq's own account of what happens to a socket's connections (`zmq_socket_monitor`).
///
/// It must be read, and stopped before it dies: an event that finds no reader blocks libzmq's I/O thread for ever.
struct SocketMonitor: ~Copyable {
    /// The first frame of an event: a 16-bit number and a 32-bit value, both in the machine's order.
    struct Event {
        /// One of `ZMQ_EVENT_…`.
        let number: Int32
        /// A descriptor, a status or an error, as the number says.
        let value: UInt32
    }

    private let pair: Socket

    /// Watches a socket for a set of `ZMQ_EVENT_…`.
    init(of socket: borrowing Socket, events: Int32, in context: Context) throws(ZeroMQError) {
        let pair = try Socket(ZMQ_PAIR, in: context)
        let name = "inproc://monitor-\(UInt64.random(in: 0...UInt64.max))"
        guard unsafe zmq_socket_monitor(try socket.opened(), name, events) == 0 else {
            throw .last("zmq_socket_monitor")
        }
        try pair.connect(to: name)
        self.pair = pair
    }

    var handle: SocketHandle { pair.handle }

    /// Ends the watch over the socket.
    func stop(_ socket: borrowing Socket) {
        if let raw = unsafe socket.handle.raw { unsafe zmq_socket_monitor(raw, nil, 0) }
    }

    /// The next event that waits; `nil` when there is none.
    func next() throws(ZeroMQError) -> Event? {
        while let reception = try pair.receive(MessageLimit(frameCount: 2, frameByteCount: 4096)) {
            guard case .message(let frames) = reception.content, frames[0].count == 6 else { continue }
            return Event(
                number: Int32(frames[0][0]) | Int32(frames[0][1]) << 8,
                value: frames[0][2...].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            )
        }
        return nil
    }
}
