import ZeroMQ

/// Something that was awaited did not happen in time.
struct TimedOut: Error, CustomStringConvertible {
    let what: String
    var description: String { "timed out waiting for \(what)" }
}

/// Runs `operation` and gives up on it after `limit`, even if it ignores cancellation.
func within<Value: Sendable>(
    _ limit: Duration = .seconds(30),
    waitingFor what: String,
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let (results, continuation) = AsyncThrowingStream.makeStream(of: Value.self)
    let work = Task {
        do {
            continuation.yield(try await operation())
        } catch {
            continuation.finish(throwing: error)
        }
    }
    let timer = Task {
        try await Task.sleep(for: limit)
        continuation.finish(throwing: TimedOut(what: what))
    }
    defer {
        work.cancel()
        timer.cancel()
    }
    for try await result in results { return result }
    throw TimedOut(what: what)
}

/// Asks again and again, giving way to others, until the answer is yes.
func eventually(_ what: String, _ condition: @escaping @Sendable () async throws -> Bool) async throws {
    try await within(waitingFor: what) {
        while try await !condition() {
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}

extension Authenticator {
    /// The next peer turned away, with a deadline.
    func nextRefusal() async throws -> Refusal? {
        try await within(waitingFor: "a report") {
            var iterator = self.refusals.makeAsyncIterator()
            return await iterator.next()
        }
    }
}

extension Channel {
    /// The next message, with a deadline.
    nonisolated func next() async throws -> ReceivedMessage {
        guard let message = try await nextOrEnd() else { throw TimedOut(what: "a message, the stream ended") }
        return message
    }

    /// The next message or `nil` at the end of the stream, with a deadline.
    nonisolated func nextOrEnd() async throws -> ReceivedMessage? {
        try await within(waitingFor: "a message") {
            var iterator = self.messages.makeAsyncIterator()
            return await iterator.next()
        }
    }
}
