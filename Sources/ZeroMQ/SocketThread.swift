import Glibc

/// One system thread that serves the sockets of its channels and runs their code.
///
/// It is the executor of each ``Channel`` given to it: libzmq's sockets belong to one thread, and a poll that
/// blocks has no place in the threads tasks share. It sleeps while there is nothing to do, and ends when the
/// last channel is closed and nobody holds it any more.
package final class SocketThread: SerialExecutor {
    let loop: SocketLoop

    /// - Parameter name: shown by `top -H` and debuggers, at most 15 bytes of it.
    package init(name: String) {
        let loop = SocketLoop()
        self.loop = loop
        startThread(named: name) { loop.run() }
    }

    deinit { loop.stop() }

    package func enqueue(_ job: consuming ExecutorJob) {
        loop.enqueue(UnownedJob(job), for: self)
    }

    package func checkIsolated() {
        precondition(loop.isOnItsThread, "this runs on the channel's socket thread")
    }
}
