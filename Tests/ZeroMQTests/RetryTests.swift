import Testing

@testable import ZeroMQ

@Suite struct RetryTests {
    @Test(arguments: 0..<20) func `retry`(index: Int) async throws {
        let server = try CurveKeyPair.generate()
        let client = try CurveKeyPair.generate()
        try await withCluster(allowsInsecure: false) { cluster in
            let authenticator = try Authenticator(in: cluster.context)
            let router = try cluster.channel(.router, .curveServer(server, domain: "control"))
            let dealer = try cluster.channel(.dealer, .curveClient(client, serverKey: server.publicKey))
            try await dealer.connect(to: router.bind(to: "tcp://127.0.0.1:*"))
            try await dealer.send([bytes("hello")])
            _ = try await within(waitingFor: "the report") {
                var iterator = authenticator.refusals.makeAsyncIterator()
                return await iterator.next()
            }
            authenticator.allow(client.publicKey, domain: "control")
            #expect(try await router.next().frames == [bytes("hello")])
        }
    }
}
