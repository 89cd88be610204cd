import Synchronization
import Testing

@testable import ZeroMQ

@Suite struct LifetimeTests {
    @Test func `the end of a context ends its channels`() async throws {
        let context = try Context(allowsInsecure: true)
        let thread = SocketThread(name: "test-sockets")
        let router = try Channel(.router, in: context, on: thread, security: .plain)
        try await router.bind(to: "tcp://127.0.0.1:*")
        let dealer = try Channel(.dealer, in: context, on: thread, security: .plain)
        try await within(waitingFor: "the end of the context") { await context.terminate() }
        #expect(try await router.nextOrEnd() == nil)
        await #expect(throws: ZeroMQError.closed) { try await dealer.connect(to: "tcp://127.0.0.1:9") }
        await #expect(throws: ZeroMQError.closed) { try await dealer.send([bytes("late")]) }
        await #expect(throws: ZeroMQError.closed) {
            try await router.send([bytes("late")], to: RoutingID([1]))
        }
        #expect(throws: ZeroMQError.closed) {
            _ = try Channel(.router, in: context, on: thread, security: .plain)
        }
    }

    @Test func `a context ends though nobody reads what came in`() async throws {
        let one = ChannelSettings(inbox: QueueLimit(messageCount: 1, byteCount: 1 << 20))
        try await withCluster { cluster in
            let (router, dealer) = try await cluster.pair(router: one)
            for _ in 0..<10 { try await dealer.send([bytes("unread")]) }
            try await eventually("a message to come in") { await router.counters.receivedCount == 1 }
            try await within(waitingFor: "the end of the context") { await cluster.context.terminate() }
            #expect(try await router.nextOrEnd()?.frames == [bytes("unread")])
            #expect(try await router.nextOrEnd() == nil)
        }
    }

    @Test func `a closed channel still gives what it had received, then ends`() async throws {
        try await withCluster { cluster in
            let (router, dealer) = try await cluster.pair()
            for number in 0..<3 { try await dealer.send([bytes("\(number)")]) }
            try await eventually("three messages to come in") { await router.counters.receivedCount == 3 }
            await router.close()
            for number in 0..<3 { #expect(try await router.nextOrEnd()?.frames == [bytes("\(number)")]) }
            #expect(try await router.nextOrEnd() == nil)
            await #expect(throws: ZeroMQError.closed) { try await router.bind(to: "tcp://127.0.0.1:*") }
        }
    }

    @Test func `a goodbye may linger past the close`() async throws {
        try await withCluster { server in
            let router = try server.channel(.router)
            let endpoint = try await router.bind(to: "tcp://127.0.0.1:*")
            try await withCluster { client in
                let dealer = try client.channel(.dealer)
                try await dealer.connect(to: endpoint)
                try await dealer.send([bytes("hello")])
                _ = try await router.next()
                for number in 0..<8 {
                    try await dealer.send([bytes("\(number)"), pattern(byteCount: 1 << 20)])
                }
                await dealer.close(linger: .seconds(20))
            }
            for number in 0..<8 { #expect(try await router.next().frames.first == bytes("\(number)")) }
        }
    }

    @Test func `cancelling the reader ends its stream`() async throws {
        try await withCluster { cluster in
            let router = try cluster.channel(.router)
            try await router.bind(to: "tcp://127.0.0.1:*")
            let reader = Task {
                var count = 0
                for await _ in router.messages { count += 1 }
                return count
            }
            reader.cancel()
            #expect(try await within(waitingFor: "the reader") { await reader.value } == 0)
            #expect(try await router.nextOrEnd() == nil)
        }
    }

    @Test func `a socket thread and its channels vanish when nobody needs them`() async throws {
        let context = try Context(allowsInsecure: true)
        let witness = Witness()
        do {
            let thread = SocketThread(name: "test-sockets")
            let channel = try Channel(.dealer, in: context, on: thread, security: .plain)
            witness.watch(thread, channel)
            await channel.close()
        }
        try await eventually("thread and channel to go") { witness.isAlone }
        try await within(waitingFor: "the end of the context") { await context.terminate() }
    }

    @Test func `an idle socket thread sleeps`() async throws {
        try await withCluster { busy in
            try await withCluster { idle in
                // Of the idle ones, one has never had a message, and one is not read although more has come.
                let one = ChannelSettings(inbox: QueueLimit(messageCount: 1, byteCount: 1 << 20))
                let (router, unconnected) = (
                    try idle.channel(.router, .plain, one), try idle.channel(.dealer)
                )
                try await unconnected.send([bytes("waits for ever")])
                let sender = try busy.channel(.dealer)
                try await sender.connect(to: try await router.bind(to: "tcp://127.0.0.1:*"))
                for _ in 0..<3 { try await sender.send([bytes("unread")]) }
                try await eventually("a message to come in") { await router.counters.receivedCount == 1 }
                let (echo, dealer) = try await busy.pair()
                let before = idle.thread.loop.turnCount.load(ordering: .relaxed)
                // The other thread's work is the time that passes here.
                for _ in 0..<300 {
                    try await dealer.send([bytes("ping")])
                    let peer = try #require(try await echo.next().peer)
                    try await echo.send([bytes("pong")], to: peer)
                    _ = try await dealer.next()
                }
                let turnCount = idle.thread.loop.turnCount.load(ordering: .relaxed) - before
                #expect(turnCount < 20, "\(turnCount) turns without work")
                #expect(busy.thread.loop.turnCount.load(ordering: .relaxed) > 300)
            }
        }
    }
}

/// Watches objects without keeping them alive.
private final class Witness: Sendable {
    private struct Watched {
        weak var thread: SocketThread?
        weak var channel: Channel?
    }
    private let watched = Mutex(Watched())

    func watch(_ thread: SocketThread, _ channel: Channel) {
        watched.withLock { $0 = Watched(thread: thread, channel: channel) }
    }

    var isAlone: Bool { watched.withLock { $0.thread == nil && $0.channel == nil } }
}
