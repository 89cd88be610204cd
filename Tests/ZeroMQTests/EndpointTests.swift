import Testing

@testable import ZeroMQ

@Suite struct EndpointTests {
    @Test(arguments: [
        "tcp://127.0.0.1:7000", "tcp://127.0.0.1:*", "tcp://127.3.2.1:1", "tcp://localhost:7000",
        "tcp://[::1]:7000",
        "ipc:///tmp/x", "inproc://x",
    ])
    func `an endpoint of this machine is recognised`(endpoint: String) {
        #expect(staysOnThisMachine(endpoint))
    }

    @Test(arguments: [
        "tcp://0.0.0.0:7000", "tcp://*:7000", "tcp://10.0.0.1:7000", "tcp://127.0.0.1.example.org:7000",
        "tcp://127.0.0:7000", "tcp://127.0.0.256:1", "tcp://127.0.0.1:0;10.0.0.1:7000", "tcp://lo:7000",
        "tcp://127.0.0.1", "tcp://", "tcp:", "", "udp://127.0.0.1:1", "ws://127.0.0.1:1",
        "tcp://localhost.evil:1",
    ])
    func `any other endpoint is not`(endpoint: String) {
        #expect(!staysOnThisMachine(endpoint))
    }

    @Test func `a channel without encryption stays on this machine`() async throws {
        try await withCluster { cluster in
            let router = try cluster.channel(.router)
            await #expect(throws: ZeroMQError.insecureEndpoint("tcp://0.0.0.0:*")) {
                try await router.bind(to: "tcp://0.0.0.0:*")
            }
            let dealer = try cluster.channel(.dealer)
            await #expect(throws: ZeroMQError.insecureEndpoint("tcp://10.0.0.1:7000")) {
                try await dealer.connect(to: "tcp://10.0.0.1:7000")
            }
        }
    }

    @Test func `a channel without encryption needs a context that allows it`() async throws {
        try await withCluster(allowsInsecure: false) { cluster in
            let router = try cluster.channel(.router)
            await #expect(throws: ZeroMQError.insecureEndpoint("tcp://127.0.0.1:*")) {
                try await router.bind(to: "tcp://127.0.0.1:*")
            }
        }
    }
}
