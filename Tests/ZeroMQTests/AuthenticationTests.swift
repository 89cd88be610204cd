import CZeroMQ
import Testing

@testable import ZeroMQ

@Suite struct AuthenticationTests {
    private let server: CurveKeyPair
    private let client: CurveKeyPair

    init() throws {
        server = try .generate()
        client = try .generate()
    }

    private var guarded: SocketSecurity { .curveServer(server, domain: "control") }

    /// A server's settings under which a peer turned away is cut off, and tries again, soon.
    private let brisk = ChannelSettings(handshakeTime: .milliseconds(300))

    private func asClient(_ keys: CurveKeyPair) -> SocketSecurity {
        .curveClient(keys, serverKey: server.publicKey)
    }

    private func knock(
        at endpoint: String,
        as security: SocketSecurity,
        in cluster: TestCluster
    ) async throws -> HandshakeOutcome {
        try await handshake(at: endpoint, as: security, in: cluster.context, patience: .seconds(20))
    }

    @Test func `an allowed key comes in and its messages carry it`() async throws {
        try await withCluster(allowsInsecure: false) { cluster in
            _ = try Authenticator(in: cluster.context, allowed: ["control": [client.publicKey]])
            let router = try cluster.channel(.router, guarded, brisk)
            let dealer = try cluster.channel(.dealer, asClient(client))
            try await dealer.connect(to: router.bind(to: "tcp://127.0.0.1:*"))
            let frames = [bytes("head"), pattern(byteCount: 1 << 20)]
            try await dealer.send(frames)
            let received = try await router.next()
            #expect(received.userID == client.publicKey)
            #expect(received.frames == frames)
            try await router.send(frames, to: try #require(received.peer))
            #expect(try await dealer.next().frames == frames)
        }
    }

    @Test func `an unknown key is turned away and reported`() async throws {
        try await withCluster(allowsInsecure: false) { cluster in
            let authenticator = try Authenticator(
                in: cluster.context,
                allowed: ["control": [client.publicKey]]
            )
            let stranger = try CurveKeyPair.generate()
            let router = try cluster.channel(.router, guarded, brisk)
            let endpoint = try await router.bind(to: "tcp://127.0.0.1:*")
            #expect(
                try await knock(at: endpoint, as: asClient(stranger), in: cluster) == .refused(status: nil)
            )
            let expected = Refusal(domain: "control", address: "127.0.0.1", key: stranger.publicKey)
            #expect(try await authenticator.nextRefusal() == expected)

            let intruder = try cluster.channel(.dealer, asClient(stranger))
            try await intruder.connect(to: endpoint)
            try await intruder.send([bytes("from the intruder")])
            let dealer = try cluster.channel(.dealer, asClient(client))
            try await dealer.connect(to: endpoint)
            try await dealer.send([bytes("from a friend")])
            #expect(try await router.next().frames == [bytes("from a friend")])
            #expect(await intruder.waitingCount == 1)
        }
    }

    @Test func `a peer turned away comes in by itself once its key is allowed`() async throws {
        try await withCluster(allowsInsecure: false) { cluster in
            let authenticator = try Authenticator(in: cluster.context)
            let router = try cluster.channel(.router, guarded, brisk)
            let dealer = try cluster.channel(.dealer, asClient(client))
            try await dealer.connect(to: router.bind(to: "tcp://127.0.0.1:*"))
            try await dealer.send([bytes("patience")])
            for _ in 0..<2 { #expect(try await authenticator.nextRefusal()?.key == client.publicKey) }
            authenticator.allow(client.publicKey, domain: "control")
            let received = try await router.next()
            #expect(received.frames == [bytes("patience")])
            #expect(received.userID == client.publicKey)
        }
    }

    @Test func `a key allowed for another domain stays outside`() async throws {
        try await withCluster(allowsInsecure: false) { cluster in
            _ = try Authenticator(in: cluster.context, allowed: ["averaging": [client.publicKey]])
            let endpoint = try await cluster.channel(.router, guarded, brisk).bind(to: "tcp://127.0.0.1:*")
            #expect(try await knock(at: endpoint, as: asClient(client), in: cluster) == .refused(status: nil))
        }
    }

    @Test func `a client without a key stays outside`() async throws {
        try await withCluster { cluster in
            _ = try Authenticator(in: cluster.context, allowed: ["control": [client.publicKey]])
            let endpoint = try await cluster.channel(.router, guarded, brisk).bind(to: "tcp://127.0.0.1:*")
            #expect(try await knock(at: endpoint, as: .plain, in: cluster) == .refused(status: nil))
        }
    }

    @Test func `a client that expects another server goes away`() async throws {
        try await withCluster(allowsInsecure: false) { cluster in
            _ = try Authenticator(in: cluster.context, allowed: ["control": [client.publicKey]])
            let endpoint = try await cluster.channel(.router, guarded, brisk).bind(to: "tcp://127.0.0.1:*")
            let other = SocketSecurity.curveClient(client, serverKey: client.publicKey)
            #expect(try await knock(at: endpoint, as: other, in: cluster) == .refused(status: nil))
        }
    }

    @Test func `without an authenticator nobody comes in`() async throws {
        try await withCluster(allowsInsecure: false) { cluster in
            let endpoint = try await cluster.channel(.router, guarded, brisk).bind(to: "tcp://127.0.0.1:*")
            #expect(try await knock(at: endpoint, as: asClient(client), in: cluster) == .refused(status: nil))
        }
    }

    @Test func `a revoked key comes in no more, and its open connection is known`() async throws {
        try await withCluster(allowsInsecure: false) { cluster in
            let authenticator = try Authenticator(in: cluster.context)
            let router = try cluster.channel(.router, guarded, brisk)
            let endpoint = try await router.bind(to: "tcp://127.0.0.1:*")
            #expect(try await knock(at: endpoint, as: asClient(client), in: cluster) == .refused(status: nil))
            authenticator.allow(client.publicKey, domain: "control")
            #expect(try await knock(at: endpoint, as: asClient(client), in: cluster) == .accepted)
            let dealer = try cluster.channel(.dealer, asClient(client))
            try await dealer.connect(to: endpoint)
            try await dealer.send([bytes("in time")])
            let before = try #require(try await router.next().userID)
            #expect(authenticator.isAllowed(before, domain: "control"))

            authenticator.revoke(client.publicKey, domain: "control")
            #expect(try await knock(at: endpoint, as: asClient(client), in: cluster) == .refused(status: nil))
            try await dealer.send([bytes("too late")])
            let after = try #require(try await router.next().userID)
            #expect(!authenticator.isAllowed(after, domain: "control"))
            authenticator.setAllowed([after], domain: "control")
            #expect(authenticator.isAllowed(after, domain: "control"))
        }
    }

    @Test func `a second authenticator in a context is refused`() async throws {
        try await withCluster { cluster in
            _ = try Authenticator(in: cluster.context)
            #expect(throws: ZeroMQError.self) { try Authenticator(in: cluster.context) }
        }
    }

    @Test func `the self probe finds a guarded door in order and leaves no key behind`() async throws {
        try await withCluster(allowsInsecure: false) { cluster in
            let authenticator = try Authenticator(
                in: cluster.context,
                allowed: ["control": [client.publicKey]]
            )
            let router = try cluster.channel(.router, guarded, brisk)
            let endpoint = try await router.bind(to: "tcp://127.0.0.1:*")
            try await authenticator.selfProbe(
                endpoint: endpoint,
                serverKey: server.publicKey,
                domain: "control"
            )
            #expect(authenticator.allowedKeys(domain: "control") == [client.publicKey])
            // Our own strangers are no news: the first report is about a real one.
            let stranger = try CurveKeyPair.generate()
            #expect(
                try await knock(at: endpoint, as: asClient(stranger), in: cluster) == .refused(status: nil)
            )
            #expect(try await authenticator.nextRefusal()?.key == stranger.publicKey)
        }
    }

    @Test func `the self probe finds an open door`() async throws {
        try await withCluster(allowsInsecure: false) { cluster in
            let authenticator = try Authenticator(in: cluster.context)
            try await withRawServer(domain: "", enforcesDomain: true, in: cluster) { endpoint in
                await #expect(throws: ZeroMQError.doorOpen(endpoint: endpoint)) {
                    try await authenticator.selfProbe(
                        endpoint: endpoint,
                        serverKey: server.publicKey,
                        domain: "control"
                    )
                }
            }
        }
    }

    @Test func `the self probe finds a door that lets nobody in`() async throws {
        try await withCluster(allowsInsecure: false) { cluster in
            let authenticator = try Authenticator(in: cluster.context)
            let endpoint = try await cluster.channel(.router, guarded, brisk).bind(to: "tcp://127.0.0.1:*")
            let expected = ZeroMQError.doorShut(endpoint: endpoint, reason: "the connection was closed")
            await #expect(throws: expected) {
                try await authenticator.selfProbe(
                    endpoint: endpoint,
                    serverKey: server.publicKey,
                    domain: "other"
                )
            }
        }
    }

    enum Handler: CaseIterable { case none, denies, allows }

    struct Row: Sendable, CustomTestStringConvertible {
        let handler: Handler
        let domain: String
        let enforcesDomain: Bool
        let isLetIn: Bool

        var testDescription: String { "\(handler), domain '\(domain)', enforced \(enforcesDomain)" }
    }

    /// What libzmq does with each combination; ours is the last row and, without a handler, the fourth.
    static let rows = [
        Row(handler: .none, domain: "", enforcesDomain: false, isLetIn: true),
        Row(handler: .none, domain: "global", enforcesDomain: false, isLetIn: true),
        Row(handler: .none, domain: "", enforcesDomain: true, isLetIn: true),
        Row(handler: .none, domain: "global", enforcesDomain: true, isLetIn: false),
        Row(handler: .denies, domain: "", enforcesDomain: false, isLetIn: false),
        Row(handler: .denies, domain: "", enforcesDomain: true, isLetIn: true),
        Row(handler: .denies, domain: "global", enforcesDomain: false, isLetIn: false),
        Row(handler: .denies, domain: "global", enforcesDomain: true, isLetIn: false),
        Row(handler: .allows, domain: "global", enforcesDomain: true, isLetIn: true),
    ]

    @Test(arguments: rows)
    func `libzmq fails open where we believe it does`(row: Row) async throws {
        try await withCluster(allowsInsecure: false) { cluster in
            if row.handler != .none {
                let authenticator = try Authenticator(in: cluster.context)
                if row.handler == .allows { authenticator.allow(client.publicKey, domain: row.domain) }
            }
            try await withRawServer(domain: row.domain, enforcesDomain: row.enforcesDomain, in: cluster) {
                endpoint in
                let outcome = try await knock(at: endpoint, as: asClient(client), in: cluster)
                #expect((outcome == .accepted) == row.isLetIn)
            }
        }
    }

    /// A CURVE server with just the options named, which a channel would not allow, and little patience.
    private func withRawServer(
        domain: String,
        enforcesDomain: Bool,
        in cluster: TestCluster,
        _ body: (String) async throws -> Void
    ) async throws {
        let socket = try Socket(ZMQ_ROUTER, in: cluster.context)
        try socket.set(ZMQ_CURVE_SERVER, to: 1)
        try socket.set(ZMQ_CURVE_SECRETKEY, to: server.secretKey)
        try socket.set(ZMQ_HANDSHAKE_IVL, to: 300)
        if !domain.isEmpty { try socket.set(ZMQ_ZAP_DOMAIN, to: domain) }
        try socket.set(SocketSecurity.enforceDomain, to: enforcesDomain ? 1 : 0)
        try await body(try socket.bind(to: "tcp://127.0.0.1:*"))
    }
}
