import CZeroMQ
import Glibc

/// An eventfd that wakes a thread out of `zmq_poll`; signals before the thread looks are one signal.
final class Wakeup: Sendable {
    let descriptor: Int32

    init() {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        precondition(descriptor >= 0, "the system gives an eventfd, error \(errno)")
    }

    deinit { _ = close(descriptor) }

    /// Wakes the thread, or keeps it from falling asleep; callable from anywhere.
    func signal() { eventfd_write(descriptor, 1) }

    /// Takes the signals given so far.
    func clear() {
        var count: eventfd_t = 0
        unsafe eventfd_read(descriptor, &count)
    }
}
