import Synchronization

/// A bounded queue with one reader, who waits for a limited time.
final class Inbox<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var isFinished = false
        /// Numbers the waits, so that a late timer ends no later wait.
        var wait = 0
        /// The last wait that is over, perhaps before it began.
        var givenUp = 0
        /// When the present wait ends; nil while nobody waits.
        var deadline: ContinuousClock.Instant?
        var reader: CheckedContinuation<Element?, Never>?
        /// Looks whether a wait has to end, and outlasts the waits that end well: most are shorter than it takes to
        /// start and stop it.
        var timer: (task: Task<Void, Never>, due: ContinuousClock.Instant)?
    }

    private let state = Mutex(State())
    private let limit: Int

    /// - Parameter limit: elements kept; what comes beyond them is dropped.
    init(limit: Int) { self.limit = limit }

    deinit { state.withLock { $0.timer?.task.cancel() } }

    /// Adds an element, or hands it to the reader who waits.
    func deliver(_ element: Element) {
        let reader = state.withLock { state -> CheckedContinuation<Element?, Never>? in
            if let reader = state.reader.take() { return reader }
            if state.elements.count < limit, !state.isFinished { state.elements.append(element) }
            return nil
        }
        reader?.resume(returning: element)
    }

    /// Nothing more will come.
    func finish() {
        let reader = state.withLock { state in
            state.isFinished = true
            return state.reader.take()
        }
        reader?.resume(returning: nil)
    }

    /// Whether nothing more will come, and nothing is left.
    var isExhausted: Bool { state.withLock { $0.isFinished && $0.elements.isEmpty } }

    /// The next element; nil when none came in time or none will ever come.
    ///
    /// Throws `CancellationError` if the reading task is cancelled; the queue can be read again.
    func next(within time: Duration) async throws -> Element? {
        try Task.checkCancellation()
        // What is here already needs no timer.
        if let element = state.withLock({ $0.elements.isEmpty ? nil : $0.elements.removeFirst() }) {
            return element
        }
        let deadline = ContinuousClock.now + time
        let wait = state.withLock { state in
            state.wait += 1
            state.deadline = deadline
            if !(state.timer.map { $0.due <= deadline } ?? false) {
                state.timer?.task.cancel()
                state.timer = (startTimer(deadline), deadline)
            }
            return state.wait
        }
        defer { state.withLock { $0.deadline = nil } }
        let element = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in answer(continuation) }
        } onCancel: {
            giveUp(wait)
        }
        try Task.checkCancellation()
        return element
    }

    private func answer(_ continuation: CheckedContinuation<Element?, Never>) {
        let element = state.withLock { state -> Element?? in
            if !state.elements.isEmpty { return .some(state.elements.removeFirst()) }
            if state.isFinished || state.givenUp == state.wait { return .some(nil) }
            precondition(state.reader == nil, "one task at a time reads an inbox")
            state.reader = continuation
            return nil
        }
        if let element { continuation.resume(returning: element) }
    }

    private func startTimer(_ first: ContinuousClock.Instant) -> Task<Void, Never> {
        Task { [weak self] in
            var due: ContinuousClock.Instant? = first
            while let next = due {
                do { try await Task.sleep(until: next, clock: .continuous) } catch { return }
                due = self?.look()
            }
        }
    }

    /// Ends the present wait if it is time.
    ///
    /// - Returns: when to look again; nil while nobody waits.
    private func look() -> ContinuousClock.Instant? {
        let (due, overdue) = state.withLock { state -> (ContinuousClock.Instant?, Int?) in
            guard let deadline = state.deadline, deadline > .now else {
                state.timer = nil
                return (nil, state.deadline == nil ? nil : state.wait)
            }
            state.timer?.due = deadline
            return (deadline, nil)
        }
        if let overdue { giveUp(overdue) }
        return due
    }

    private func giveUp(_ wait: Int) {
        let reader = state.withLock { state -> CheckedContinuation<Element?, Never>? in
            guard state.wait == wait else { return nil }
            state.givenUp = wait
            return state.reader.take()
        }
        reader?.resume(returning: nil)
    }
}
