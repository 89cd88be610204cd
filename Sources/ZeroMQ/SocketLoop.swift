import CZeroMQ
import Glibc
import Synchronization

/// What a ``SocketThread`` does: sleep in a poll, serve the sockets that are ready, run the jobs given to it.
final class SocketLoop: Sendable {
    private struct Inbox {
        /// Jobs keep their executor alive until they have run.
        var jobs: [(job: UnownedJob, executor: SocketThread)] = []
        var arrivals: [Channel] = []
        var thread: pthread_t?
        var isStopping = false

        var isIdle: Bool { jobs.isEmpty && arrivals.isEmpty && !isStopping }
    }

    /// Wakes the thread out of its poll.
    let wakeup = Wakeup()
    /// Times the thread woke up; it stands still while nothing happens.
    let turnCount = Atomic(0)
    private let inbox = Mutex(Inbox())

    var isOnItsThread: Bool {
        let thread = inbox.withLock(\.thread)
        return thread.map { pthread_equal($0, pthread_self()) != 0 } ?? false
    }

    func enqueue(_ job: UnownedJob, for executor: SocketThread) {
        add { $0.jobs.append((job, executor)) }
    }

    /// Serves the channel from now on, and holds it until it is closed.
    func add(_ channel: Channel) {
        add { $0.arrivals.append(channel) }
    }

    /// Ends the thread; only its executor's death calls this, when no channel is left.
    func stop() {
        add { $0.isStopping = true }
    }

    private func add(_ change: (inout Inbox) -> Void) {
        let wasIdle = inbox.withLock { inbox in
            defer { change(&inbox) }
            return inbox.isIdle
        }
        // The thread takes everything at once, so only the first addition must wake it.
        if wasIdle { wakeup.signal() }
    }

    func run() {
        inbox.withLock { $0.thread = pthread_self() }
        var channels: [Channel] = []
        while runJobs(adding: &channels) {
            channels.removeAll { $0.assumeIsolated { $0.isClosed } }
            poll(channels)
            turnCount.add(1, ordering: .relaxed)
        }
    }

    /// Takes what came in, runs the jobs among it and lets go of everything before the thread sleeps again.
    ///
    /// - Returns: whether the thread goes on.
    private func runJobs(adding channels: inout [Channel]) -> Bool {
        let work = inbox.withLock { inbox in
            defer { inbox = Inbox(thread: inbox.thread) }
            return inbox
        }
        channels += work.arrivals
        for (job, executor) in work.jobs {
            unsafe job.runSynchronously(on: executor.asUnownedSerialExecutor())
        }
        return !work.isStopping
    }

    /// Sleeps until a socket is ready or ``wakeup`` is signalled, then lets each ready channel serve its own.
    private func poll(_ channels: [Channel]) {
        var items = unsafe [
            zmq_pollitem_t(socket: nil, fd: wakeup.descriptor, events: Int16(ZMQ_POLLIN), revents: 0)
        ]
        var patience: Int32 = -1
        var monitored: [Channel] = []
        for channel in channels {
            let (handle, events, limit) = channel.assumeIsolated { channel in
                channel.sendPosted()
                return (channel.handle, channel.awaitedEvents(), channel.patience)
            }
            unsafe items.append(zmq_pollitem_t(socket: handle.raw, fd: 0, events: events, revents: 0))
            if let limit { patience = patience < 0 ? limit.milliseconds : min(patience, limit.milliseconds) }
        }
        for channel in channels {
            guard let handle = channel.assumeIsolated({ $0.monitorHandle }) else { continue }
            unsafe items.append(
                zmq_pollitem_t(socket: handle.raw, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
            )
            monitored.append(channel)
        }
        guard unsafe zmq_poll(&items, Int32(items.count), Int(patience)) >= 0 else {
            let code = zmq_errno()
            precondition(code == ETERM || code == EINTR, "a poll of open sockets fails with error \(code)")
            // A signal came in, or a context was shut down and took some of the sockets with it.
            if code == ETERM { for channel in channels { channel.assumeIsolated { $0.closeIfShutDown() } } }
            return
        }
        if unsafe items[0].revents != 0 { wakeup.clear() }
        for (index, channel) in channels.enumerated() {
            let events = unsafe items[index + 1].revents
            if events != 0 { channel.assumeIsolated { $0.serve(events: events) } }
        }
        for channel in monitored {
            channel.assumeIsolated {
                $0.readMonitor()
                $0.lookAtConnections()
            }
        }
    }
}
