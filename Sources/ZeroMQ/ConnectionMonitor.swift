import CZeroMQ
import Glibc

/// What happens to a connection of a bound socket.
enum ConnectionEvent: Equatable {
    /// Somebody connected, and has said nothing yet.
    case accepted(Int32)
    /// Somebody finished the handshake: the key is allowed, or none is needed.
    case admitted
    /// A connection is over, by whatever side.
    case ended(Int32)
}

/// libzmq's own account of a bound socket's connections; used by the socket's thread.
///
/// It must be read: libzmq's I/O thread waits when some thousand events are not.
final class ConnectionMonitor {
    private static let events =
        ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED
    private let pair: Socket

    /// Watches a socket that is not bound yet.
    init(of socket: borrowing Socket, in context: Context) throws(ZeroMQError) {
        let pair = try Socket(ZMQ_PAIR, in: context)
        let name = "inproc://connections-\(UInt64.random(in: 0...UInt64.max))"
        guard unsafe zmq_socket_monitor(try socket.opened(), name, Self.events) == 0 else {
            throw .last("zmq_socket_monitor")
        }
        try pair.connect(to: name)
        self.pair = pair
    }

    var handle: SocketHandle { pair.handle }

    /// Ends the watch; must precede the monitor's death, as an event without a reader stops the I/O thread.
    func stop(_ socket: borrowing Socket) {
        if let raw = unsafe socket.handle.raw { unsafe zmq_socket_monitor(raw, nil, 0) }
    }

    /// The next event that waits; `nil` when there is none.
    ///
    /// A 16-bit number and a 32-bit value in the first frame, both in the machine's order; an address in the
    /// second.
    func next() throws(ZeroMQError) -> ConnectionEvent? {
        while let reception = try pair.receive(MessageLimit(frameCount: 2, frameByteCount: 4096)) {
            guard case .message(let frames, _) = reception.content, frames[0].count == 6 else { continue }
            let number = Int32(frames[0][0]) | Int32(frames[0][1]) << 8
            let value = frames[0][2...].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            switch number {
            case ZMQ_EVENT_ACCEPTED: return .accepted(Int32(bitPattern: value))
            case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return .admitted
            case ZMQ_EVENT_DISCONNECTED: return .ended(Int32(bitPattern: value))
            default: continue
            }
        }
        return nil
    }
}

/// All bytes the kernel took in on a TCP connection; `nil` for anything else.
func receivedByteCount(of descriptor: Int32) -> UInt64? {
    // TCP_INFO of <linux/tcp.h>, whose field tcpi_bytes_received glibc's own header lacks.
    let (option, offset): (Int32, Int) = (11, 128)
    var info = [UInt8](repeating: 0, count: 256)
    var size = socklen_t(info.count)
    guard unsafe getsockopt(descriptor, Int32(IPPROTO_TCP), option, &info, &size) == 0, size >= offset + 8
    else { return nil }
    return info[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
}

/// Ends a connection under libzmq, which then drops what it holds of it.
///
/// Should the descriptor belong to another connection by now, that one ends, and its peer comes back by itself.
func cut(_ descriptor: Int32) { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }
