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

/// Who connects to a bound socket, and whose connections end; used by the socket's thread.
final class ConnectionMonitor {
    private static let events =
        ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED
    private let monitor: SocketMonitor

    /// Watches a socket that is not bound yet.
    init(of socket: borrowing Socket, in context: Context) throws(ZeroMQError) {
        monitor = try SocketMonitor(of: socket, events: Self.events, in: context)
    }

    var handle: SocketHandle { monitor.handle }

    /// Ends the watch; must precede the monitor's death.
    func stop(_ socket: borrowing Socket) { monitor.stop(socket) }

    /// The next event that waits; `nil` when there is none.
    func next() throws(ZeroMQError) -> ConnectionEvent? {
        while let event = try monitor.next() {
            switch event.number {
            case ZMQ_EVENT_ACCEPTED: return .accepted(Int32(bitPattern: event.value))
            case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return .admitted
            case ZMQ_EVENT_DISCONNECTED: return .ended(Int32(bitPattern: event.value))
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
