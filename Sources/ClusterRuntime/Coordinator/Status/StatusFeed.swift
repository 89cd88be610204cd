import Synchronization

/// What a serving coordinator tells those beside it, without ever waiting for them.
///
/// Readers take the newest report and may be as slow as they like; nothing they do reaches the coordinator's loop.
package final class StatusFeed: Sendable {
    /// The status at one moment, written once for everybody.
    package struct Report: Sendable {
        /// The status.
        package let status: RunStatus
        /// It as JSON.
        package let json: [UInt8]
    }

    private struct Book {
        var newest: Report?
        var tickedAt: ContinuousClock.Instant?
        var readers: [Int: AsyncStream<Report>.Continuation] = [:]
        var next = 0
    }

    private let book = Mutex(Book())

    init() {}

    /// The newest report; nil before the first.
    package var newest: Report? { book.withLock(\.newest) }

    /// Time since the coordinator's loop last went round; nil before it did.
    package var silence: Duration? { book.withLock(\.tickedAt).map { $0.duration(to: .now) } }

    /// Every report from now on that the reader is in time for, beginning with the newest.
    package func reports() -> AsyncStream<Report> {
        let (reports, continuation) = AsyncStream.makeStream(
            of: Report.self,
            bufferingPolicy: .bufferingNewest(1)
        )
        let number = book.withLock { book in
            if let newest = book.newest { continuation.yield(newest) }
            book.next += 1
            book.readers[book.next] = continuation
            return book.next
        }
        continuation.onTermination = { [weak self] _ in self?.forget(number) }
        return reports
    }

    /// The loop went round.
    func tick() { book.withLock { $0.tickedAt = .now } }

    /// There is a newer status.
    func publish(_ report: Report) {
        let readers = book.withLock { book in
            book.newest = report
            return Array(book.readers.values)
        }
        for reader in readers { reader.yield(report) }
    }

    /// No more reports will come.
    func finish() {
        let readers = book.withLock { book in
            defer { book.readers = [:] }
            return Array(book.readers.values)
        }
        for reader in readers { reader.finish() }
    }

    private func forget(_ number: Int) { book.withLock { $0.readers[number] = nil } }
}
