import Testing
import ZeroMQ

@Suite struct BackpressureTests {
    private let few = QueueLimit(messageCount: 4, byteCount: 64 << 20)
    private var tight: ChannelSettings {
        ChannelSettings(sendHighWaterMark: 2, receiveHighWaterMark: 2, inbox: few, outbox: few)
    }

    @Test func `a reader that lags stops the sender, and nothing is lost`() async throws {
        try await withCluster { cluster in
            let (router, dealer) = try await cluster.pair(router: tight, dealer: tight)
            let payload = pattern(byteCount: 1 << 20)
            var sentCount = 0
            // The kernel's buffers take some MiB on top of our queues.
            await #expect(throws: ZeroMQError.outboxFull(few)) {
                while sentCount < 200 {
                    try await dealer.send([bytes("\(sentCount)"), payload])
                    sentCount += 1
                }
            }
            #expect(await router.counters.receivedCount <= few.messageCount)
            for number in 0..<sentCount {
                let message = try await router.next()
                #expect(message.frames.first == bytes("\(number)"))
                #expect(message.frames.last == payload)
            }
        }
    }

    @Test func `a router is told that a peer does not read`() async throws {
        try await withCluster { cluster in
            let (router, dealer) = try await cluster.pair(router: tight, dealer: tight)
            try await dealer.send([bytes("hello")])
            let peer = try #require(try await router.next().peer)
            let payload = pattern(byteCount: 1 << 20)
            var sentCount = 0
            await #expect(throws: ZeroMQError.wouldBlock(peer)) {
                while sentCount < 200 {
                    try await router.send([bytes("\(sentCount)"), payload], to: peer)
                    sentCount += 1
                }
            }
            for number in 0..<sentCount {
                #expect(try await dealer.next().frames.first == bytes("\(number)"))
            }
        }
    }

    @Test func `a message of too many frames is dropped and counted`() async throws {
        try await withCluster { cluster in
            let (router, dealer) = try await cluster.pair()
            try await dealer.send(Array(repeating: bytes("x"), count: 5))
            try await dealer.send(Array(repeating: bytes("y"), count: 4))
            #expect(try await router.next().frames == Array(repeating: bytes("y"), count: 4))
            #expect(await router.counters.droppedForFrameCount == 1)
            #expect(await router.counters.receivedCount == 1)
        }
    }

    @Test func `a message with a long frame is dropped and counted`() async throws {
        try await withCluster { cluster in
            let (router, dealer) = try await cluster.pair(router: ChannelSettings(frameByteLimit: 100))
            try await dealer.send([bytes("x"), pattern(byteCount: 101), bytes("z")])
            try await dealer.send([pattern(byteCount: 100)])
            #expect(try await router.next().frames == [pattern(byteCount: 100)])
            #expect(await router.counters.droppedForFrameSize == 1)
        }
    }

    @Test func `a peer that sends a huge frame loses its connection and nobody else does`() async throws {
        try await withCluster { cluster in
            let (router, dealer) = try await cluster.pair(router: ChannelSettings(frameByteLimit: 100))
            let endpoint = try await router.bind(to: "tcp://127.0.0.1:*")
            try await dealer.send([bytes("before")])
            let peer = try #require(try await router.next().peer)
            let other = try cluster.channel(.dealer)
            try await other.connect(to: endpoint)
            try await other.send([bytes("other")])
            #expect(try await router.next().frames == [bytes("other")])
            try await dealer.send([pattern(byteCount: 10_000)])
            try await eventually("the connection to end") {
                do throws(ZeroMQError) {
                    try await router.send([bytes("still there?")], to: peer)
                    return false
                } catch {
                    return error == .peerUnreachable(peer)
                }
            }
            try await other.send([bytes("alive")])
            #expect(try await router.next().frames == [bytes("alive")])
        }
    }
}
