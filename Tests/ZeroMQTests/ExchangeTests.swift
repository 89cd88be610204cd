import Foundation
import Testing
import ZeroMQ

@Suite struct ExchangeTests {
    @Test(arguments: ["tcp://127.0.0.1:*", "inproc://exchange"])
    func `a dealer and a router exchange messages of several frames`(endpoint: String) async throws {
        try await withCluster { cluster in try await exchange(in: cluster, over: endpoint) }
    }

    @Test func `they do so over a socket file`() async throws {
        try await withLocalEndpoint { endpoint in
            try await withCluster { cluster in try await exchange(in: cluster, over: endpoint) }
        }
    }

    @Test(
        .enabled(if: (try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8))?.isEmpty == false)
    )
    func `and over IPv6`() async throws {
        try await withCluster { cluster in try await exchange(in: cluster, over: "tcp://[::1]:*") }
    }

    private func exchange(in cluster: TestCluster, over endpoint: String) async throws {
        let (router, dealer) = try await cluster.pair(over: endpoint)
        let question = [bytes("header"), [], bytes("body"), [0, 255, 0]]
        try await dealer.send(question)
        let received = try await router.next()
        #expect(received.frames == question)
        #expect(received.userID == nil)
        let peer = try #require(received.peer)
        try await router.send([bytes("answer")], to: peer)
        let answer = try await dealer.next()
        #expect(answer == ReceivedMessage(peer: nil, frames: [bytes("answer")], userID: nil))
        #expect(await router.counters.receivedCount == 1)
        #expect(await router.counters.sentByteCount == 6)
    }

    @Test func `frames of 1 MiB arrive unchanged`() async throws {
        try await withCluster { cluster in
            let (router, dealer) = try await cluster.pair()
            let frames = [bytes("chunk"), pattern(byteCount: 1 << 20), pattern(byteCount: (1 << 20) - 1)]
            try await dealer.send(frames)
            let received = try await router.next()
            #expect(received.frames == frames)
            try await router.send(received.frames, to: try #require(received.peer))
            #expect(try await dealer.next().frames == frames)
        }
    }

    @Test func `messages arrive in the order they were sent`() async throws {
        try await withCluster { cluster in
            let small = QueueLimit(messageCount: 8, byteCount: 1 << 20)
            let (router, dealer) = try await cluster.pair(
                router: ChannelSettings(receiveHighWaterMark: 4, inbox: small),
                dealer: ChannelSettings(outbox: QueueLimit(messageCount: 2000, byteCount: 1 << 20))
            )
            for number in 0..<1000 { try await dealer.send([bytes("\(number)")]) }
            for number in 0..<1000 { #expect(try await router.next().frames == [bytes("\(number)")]) }
        }
    }

    @Test func `a router gives each of several clients its own answer`() async throws {
        try await withCluster { cluster in
            let router = try cluster.channel(.router)
            let endpoint = try await router.bind(to: "tcp://127.0.0.1:*")
            let otherThread = SocketThread(name: "test-clients")
            var clients: [Channel] = []
            for number in 0..<5 {
                let client = try Channel(.dealer, in: cluster.context, on: otherThread, security: .plain)
                try await client.connect(to: endpoint)
                try await client.send([bytes("\(number)")])
                clients.append(client)
            }
            for _ in clients {
                let question = try await router.next()
                try await router.send([bytes("to ") + question.frames[0]], to: try #require(question.peer))
            }
            for (number, client) in clients.enumerated() {
                #expect(try await client.next().frames == [bytes("to \(number)")])
            }
        }
    }

    @Test func `a message to a peer nobody knows throws`() async throws {
        try await withCluster { cluster in
            let router = try cluster.channel(.router)
            try await router.bind(to: "tcp://127.0.0.1:*")
            let stranger = RoutingID([1, 2, 0xab])
            await #expect(throws: ZeroMQError.peerUnreachable(stranger)) {
                try await router.send([bytes("hello")], to: stranger)
            }
            #expect(ZeroMQError.peerUnreachable(stranger).description == "peer 0102ab is not connected")
        }
    }

    @Test func `a subscriber hears what it subscribed to`() async throws {
        try await withCluster { cluster in
            let publisher = try cluster.channel(.publisher)
            let subscriber = try cluster.channel(.subscriber)
            try await subscriber.subscribe(to: bytes("round"))
            try await subscriber.connect(to: publisher.bind(to: "tcp://127.0.0.1:*"))
            // What is said before the subscription arrives is lost, so it is said until it is heard.
            let speaker = Task {
                while !Task.isCancelled {
                    try await publisher.send([bytes("noise")])
                    try await publisher.send([bytes("round 7"), bytes("hash")])
                    await Task.yield()
                }
            }
            defer { speaker.cancel() }
            #expect(try await subscriber.next().frames == [bytes("round 7"), bytes("hash")])
            #expect(try await subscriber.next().frames == [bytes("round 7"), bytes("hash")])
        }
    }
}
