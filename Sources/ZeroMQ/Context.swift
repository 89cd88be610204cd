import CZeroMQ
import Synchronization

/// A process's libzmq: its I/O threads and everything opened in it.
///
/// ``terminate()`` ends it and all channels and authenticators in it. A context nobody uses any more ends
/// itself.
@safe
package final class Context: @unchecked Sendable {
    /// Whether channels may go without encryption on this machine's own endpoints.
    package let allowsInsecure: Bool
    private let raw: UnsafeMutableRawPointer
    private let isTerminated = Mutex(false)

    /// The version of libzmq that this process uses.
    package static var zeroMQVersion: String {
        var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
        unsafe zmq_version(&major, &minor, &patch)
        return "\(major).\(minor).\(patch)"
    }

    /// - Parameters:
    ///   - ioThreadCount: threads that move and encrypt bytes; with CURVE one carries about 0.4 GB/s.
    ///   - maximumSocketCount: sockets open at once; opening more fails.
    ///   - allowsInsecure: permits `SocketSecurity.plain` within this machine.
    package init(
        ioThreadCount: Int = 1,
        maximumSocketCount: Int = 1023,
        allowsInsecure: Bool = false
    ) throws(ZeroMQError) {
        precondition(ioThreadCount >= 1, "a context needs an I/O thread, got \(ioThreadCount)")
        precondition(maximumSocketCount >= 1, "a context needs sockets, got \(maximumSocketCount)")
        guard let raw = unsafe zmq_ctx_new() else { throw .last("zmq_ctx_new") }
        unsafe self.raw = raw
        self.allowsInsecure = allowsInsecure
        for (option, value) in [
            (ZMQ_IO_THREADS, ioThreadCount), (ZMQ_MAX_SOCKETS, maximumSocketCount), (ZMQ_BLOCKY, 0),
        ] {
            guard unsafe zmq_ctx_set(raw, option, Int32(clamping: value)) == 0 else {
                throw .last("zmq_ctx_set")
            }
        }
    }

    deinit {
        // No socket is open: each one holds its context.
        if !isTerminated.withLock({ $0 }) { unsafe terminateContext(raw) }
    }

    /// Closes every channel, ends the authenticator, returns once lingering messages are sent or given up.
    ///
    /// Streams of messages end; calls on channels throw `ZeroMQError.closed`. Only the first call waits.
    package func terminate() async {
        let isFirst = isTerminated.withLock { isTerminated in
            defer { isTerminated = true }
            return !isTerminated
        }
        guard isFirst else { return }
        unsafe zmq_ctx_shutdown(raw)
        await withCheckedContinuation { continuation in
            // zmq_ctx_term waits for the sockets' threads, so it must not stand in a thread tasks run on.
            startThread(named: "zmq-terminate") { [self] in
                unsafe terminateContext(raw)
                continuation.resume()
            }
        }
    }

    /// Opens a raw libzmq socket.
    func openSocket(_ kind: Int32) throws(ZeroMQError) -> UnsafeMutableRawPointer {
        let socket = isTerminated.withLock { isTerminated in
            unsafe isTerminated ? nil : SocketHandle(raw: zmq_socket(raw, kind))
        }
        guard let socket else { throw .closed }
        guard let opened = unsafe socket.raw else { throw .last("zmq_socket") }
        return unsafe opened
    }
}

private func terminateContext(_ raw: UnsafeMutableRawPointer) {
    while unsafe zmq_ctx_term(raw) != 0 && zmq_errno() == EINTR {}
}
