import Testing
import ZeroMQ

@Suite struct ConnectionTests {
    @Test func `what a dealer says before its server is there arrives later`() async throws {
        try await withLocalEndpoint { endpoint in
            try await withCluster { cluster in
                let dealer = try cluster.channel(.dealer)
                try await dealer.connect(to: endpoint)
                try await dealer.send([bytes("early")])
                try await dealer.send([bytes("second")])
                #expect(await dealer.waitingCount == 2)
                let router = try cluster.channel(.router)
                #expect(try await router.bind(to: endpoint) == endpoint)
                #expect(try await router.next().frames == [bytes("early")])
                #expect(try await router.next().frames == [bytes("second")])
                #expect(await dealer.waitingCount == 0)
            }
        }
    }

    @Test func `an outbox without a connection fills up and says so`() async throws {
        try await withLocalEndpoint { endpoint in
            try await withCluster { cluster in
                let limit = QueueLimit(messageCount: 3, byteCount: 1 << 20)
                let dealer = try cluster.channel(.dealer, .plain, ChannelSettings(outbox: limit))
                try await dealer.connect(to: endpoint)
                for _ in 0..<3 { try await dealer.send([bytes("x")]) }
                await #expect(throws: ZeroMQError.outboxFull(limit)) { try await dealer.send([bytes("x")]) }
            }
        }
    }

    @Test func `a dealer finds the server that comes back on the same port`() async throws {
        try await withCluster { cluster in
            let dealer = try cluster.channel(.dealer)
            var endpoint = "tcp://127.0.0.1:*"
            try await withCluster { first in
                let router = try first.channel(.router)
                endpoint = try await router.bind(to: endpoint)
                try await dealer.connect(to: endpoint)
                try await dealer.send([bytes("first")])
                #expect(try await router.next().frames == [bytes("first")])
            }
            // What is sent while the loss is unnoticed goes down with the connection; the rest waits.
            try await eventually("the dealer to notice") {
                try await dealer.send([bytes("again")])
                return await dealer.waitingCount > 0
            }
            try await withCluster { second in
                let router = try second.channel(.router)
                #expect(try await router.bind(to: endpoint) == endpoint)
                #expect(try await router.next().frames == [bytes("again")])
            }
        }
    }

    @Test func `a port that is taken is an error that names it`() async throws {
        try await withCluster { cluster in
            let endpoint = try await cluster.channel(.router).bind(to: "tcp://127.0.0.1:*")
            let second = try cluster.channel(.router)
            let expected = ZeroMQError.failed(
                operation: "zmq_bind",
                reason: "Address already in use",
                endpoint: endpoint
            )
            await #expect(throws: expected) { try await second.bind(to: endpoint) }
            #expect(expected.description == "zmq_bind failed for \(endpoint): Address already in use")
        }
    }

    @Test func `a context opens no more sockets than it may`() async throws {
        let context = try Context(maximumSocketCount: 2, allowsInsecure: true)
        let thread = SocketThread(name: "test-sockets")
        #expect(throws: ZeroMQError.self) {
            for _ in 0..<3 { _ = try Channel(.dealer, in: context, on: thread, security: .plain) }
        }
        try await within(waitingFor: "the end of the context") { await context.terminate() }
    }
}
