import Testing

@testable import ClusterRuntime

struct InboxTests {
    /// Takes an element after a wait of up to a minute.
    private func waitLong(for inbox: Inbox<Int>) async throws -> Int? {
        async let element = inbox.next(within: .seconds(60))
        for _ in 0..<100 { await Task.yield() }
        inbox.deliver(7)
        return try await element
    }

    @Test(.timeLimit(.minutes(1)))
    func `a short wait after a long one that was rewarded ends in its own time`() async throws {
        let inbox = Inbox<Int>(limit: 1)
        #expect(try await waitLong(for: inbox) == 7)
        #expect(try await inbox.next(within: .milliseconds(1)) == nil)
    }

    @Test(.timeLimit(.minutes(1)))
    func `a wait outlives the end of shorter ones before it`() async throws {
        let inbox = Inbox<Int>(limit: 1)
        for _ in 0..<10 { #expect(try await inbox.next(within: .milliseconds(1)) == nil) }
        #expect(try await waitLong(for: inbox) == 7)
    }

    @Test(.timeLimit(.minutes(1)))
    func `a wait ends when the inbox is finished`() async throws {
        let inbox = Inbox<Int>(limit: 1)
        async let element = inbox.next(within: .seconds(60))
        inbox.finish()
        #expect(try await element == nil)
    }
}
