import Testing
import ZeroMQ

@Suite struct PostingTests {
    @Test func `what is posted arrives in order`() async throws {
        try await withCluster { cluster in
            let (router, dealer) = try await cluster.pair()
            try await dealer.send([bytes("hello")])
            let peer = try #require(try await router.next().peer)
            for number in 0..<200 { router.post([bytes("\(number)")], to: peer) }
            for number in 0..<200 { #expect(try await dealer.next().frames == [bytes("\(number)")]) }
            #expect(await router.counters.sentCount == 200)
        }
    }

    @Test func `what is posted to a peer that is not there is lost, and what comes behind it is not`()
        async throws
    {
        try await withCluster { cluster in
            let (router, dealer) = try await cluster.pair()
            try await dealer.send([bytes("hello")])
            let peer = try #require(try await router.next().peer)
            router.post([bytes("lost")], to: RoutingID([1, 2, 3, 4, 5]))
            router.post([bytes("found")], to: peer)
            #expect(try await dealer.next().frames == [bytes("found")])
        }
    }

    @Test func `a large frame arrives as it was when it was sent, whatever becomes of it afterwards`()
        async throws
    {
        try await withCluster { cluster in
            let (router, dealer) = try await cluster.pair()
            let original = pattern(byteCount: 1 << 20)
            var changed = original
            for number in 0..<8 {
                try await dealer.send([changed])
                changed[number] &+= 1
                var expected = original
                for earlier in 0..<number { expected[earlier] &+= 1 }
                #expect(try await router.next().frames == [expected])
            }
        }
    }

    @Test func `a large frame that finds no room leaves the socket as it was`() async throws {
        let one = QueueLimit(messageCount: 1, byteCount: 1)
        let tight = ChannelSettings(sendHighWaterMark: 1, receiveHighWaterMark: 1, inbox: one, outbox: one)
        try await withCluster { cluster in
            let (router, dealer) = try await cluster.pair(router: tight, dealer: tight)
            try await dealer.send([bytes("hello")])
            let peer = try #require(try await router.next().peer)
            let payload = pattern(byteCount: 1 << 20)
            var sentCount = 0
            await #expect(throws: ZeroMQError.wouldBlock(peer)) {
                while sentCount < 200 {
                    try await router.send([payload], to: peer)
                    sentCount += 1
                }
            }
            for _ in 0..<sentCount { #expect(try await dealer.next().frames == [payload]) }
            try await router.send([bytes("again")], to: peer)
            #expect(try await dealer.next().frames == [bytes("again")])
        }
    }
}
