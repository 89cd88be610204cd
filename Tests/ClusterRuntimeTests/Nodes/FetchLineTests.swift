import Synchronization
import Testing

@testable import ClusterRuntime

struct FetchLineTests {
    private struct Failure: Error {}

    @Test(.timeLimit(.minutes(1)))
    func `a fetch begins when the one before has asked for all, not when that is over`() async throws {
        var line = FetchLine()
        let (isBegun, begins) = AsyncStream<Void>.makeStream()
        let first = line.add { connection, whenAsked in
            whenAsked()
            for await _ in isBegun {}
            return connection
        }
        let second = line.add { connection, _ in
            begins.finish()
            return connection
        }
        #expect(try await [first.value, second.value] == [0, 1])
    }

    @Test(.timeLimit(.minutes(1)))
    func `a fetch waits until the one before has asked for all`() async throws {
        let isAsked = Mutex(false)
        var line = FetchLine()
        let first = line.add { _, whenAsked in
            for _ in 0..<100 { await Task.yield() }
            isAsked.withLock { $0 = true }
            whenAsked()
        }
        let second = line.add { _, _ in isAsked.withLock(\.self) }
        try await first.value
        #expect(try await second.value)
    }

    @Test(.timeLimit(.minutes(1)))
    func `a connection is used by one fetch at a time`() async throws {
        let isOver = Mutex(false)
        var line = FetchLine()
        let first = line.add { _, whenAsked in
            whenAsked()
            for _ in 0..<100 { await Task.yield() }
            isOver.withLock { $0 = true }
        }
        let second = line.add { _, _ in }
        let third = line.add { connection, _ in (connection, isOver.withLock(\.self)) }
        try await first.value
        try await second.value
        #expect(try await third.value == (0, true))
    }

    @Test(.timeLimit(.minutes(1)))
    func `a fetch that fails holds up none after it`() async throws {
        var line = FetchLine()
        let failing = (0..<3).map { _ in line.add { _, _ in throw Failure() } }
        let last = line.add { connection, _ in connection }
        for fetch in failing { await #expect(throws: Failure.self) { try await fetch.value } }
        #expect(try await last.value == 1)
    }
}
