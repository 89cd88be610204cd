import Synchronization

/// Messages between the socket's thread and the task that reads them.
///
/// The thread delivers and looks whether there is room; the reader takes, and wakes the thread once a full
/// box is half empty.
final class Mailbox: Sendable {
    private struct State {
        var queue: BoundedQueue<ReceivedMessage>
        var reader: CheckedContinuation<ReceivedMessage?, Never>?
        var isFinished = false
        var isPaused = false

        /// Takes a message and says whether the thread must be woken, or keeps the reader for the next one.
        mutating func next(_ continuation: CheckedContinuation<ReceivedMessage?, Never>) -> (
            Answer, wakes: Bool
        ) {
            guard let message = queue.popFirst() else {
                guard !isFinished else { return (.ended, false) }
                precondition(reader == nil, "one task at a time reads a channel's messages")
                reader = continuation
                return (.wait, false)
            }
            let wakes = isPaused && queue.hasRoom
            if wakes { isPaused = false }
            return (.message(message), wakes)
        }
    }

    private enum Answer {
        case message(ReceivedMessage)
        case ended
        case wait
    }

    private let state: Mutex<State>
    private let wakeup: Wakeup

    /// - Parameter wakeup: wakes the thread that delivers.
    init(limit: QueueLimit, wakeup: Wakeup) {
        state = Mutex(State(queue: BoundedQueue(limit: limit)))
        self.wakeup = wakeup
    }

    /// Whether the thread may deliver; after a no it is woken when that changes.
    func hasRoom() -> Bool {
        state.withLock { state in
            if state.isFinished { return false }
            if state.isPaused { return false }
            state.isPaused = state.queue.isFull
            return !state.isPaused
        }
    }

    func deliver(_ message: ReceivedMessage) {
        let reader = state.withLock { state -> CheckedContinuation<ReceivedMessage?, Never>? in
            guard !state.isFinished else { return nil }
            guard let reader = state.reader.take() else {
                state.queue.append(message, byteCount: message.byteCount)
                return nil
            }
            return reader
        }
        reader?.resume(returning: message)
    }

    /// The next message, or `nil` after the last; one task reads at a time.
    func next() async -> ReceivedMessage? {
        await withCheckedContinuation { continuation in
            let (answer, wakes) = state.withLock { $0.next(continuation) }
            if wakes { wakeup.signal() }
            switch answer {
            case .message(let message): continuation.resume(returning: message)
            case .ended: continuation.resume(returning: nil)
            case .wait: break
            }
        }
    }

    /// No more messages will come; those in the box are still read.
    func finish() { end(discarding: false) }

    /// Nobody will read any more.
    func abandon() { end(discarding: true) }

    private func end(discarding: Bool) {
        let reader = state.withLock { state in
            state.isFinished = true
            if discarding { state.queue.removeAll() }
            return state.reader.take()
        }
        reader?.resume(returning: nil)
    }
}
