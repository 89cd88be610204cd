import ClusterMessages
import ZeroMQ

/// A worker's sockets: one context, one socket thread, one identity.
struct NodeNetwork: Sendable {
    let context: Context
    let thread: SocketThread
    let signature = NodeSignature()
    private let keys: CurveKeyPair
    private let isInsecure: Bool

    init(_ options: WorkerOptions) throws(ZeroMQError) {
        try self.init(name: "\(options.role)", keys: options.keys, isInsecure: options.isInsecure)
    }

    /// - Parameter name: what the socket thread is called after.
    init(name: String, keys: CurveKeyPair, isInsecure: Bool) throws(ZeroMQError) {
        context = try Context(allowsInsecure: isInsecure)
        thread = SocketThread(name: "\(name)-io")
        self.keys = keys
        self.isInsecure = isInsecure
    }

    /// How to connect to the owner of a key; without one only an insecure node connects at all.
    func client(of serverKey: CurvePublicKey?) throws(NodeError) -> SocketSecurity {
        if isInsecure { return .plain }
        guard let serverKey else {
            throw .missing(
                "a server's public key",
                expected: "encryption is off there; start with --insecure"
            )
        }
        return .curveClient(keys, serverKey: serverKey)
    }

    /// How to let in the peers an authenticator allows for `domain`.
    func server(domain: String) -> SocketSecurity {
        isInsecure ? .plain : .curveServer(keys, domain: domain)
    }

    /// A DEALER or subscriber that connects as soon as somebody is at the endpoint.
    func connect(
        _ kind: ChannelKind,
        to endpoint: String,
        serverKey: CurvePublicKey?,
        settings: ChannelSettings = ChannelSettings()
    ) async throws(NodeError) -> Channel {
        let security = try client(of: serverKey)
        do {
            let channel = try Channel(kind, in: context, on: thread, security: security, settings: settings)
            try await channel.connect(to: endpoint)
            return channel
        } catch {
            throw .local("\(error)")
        }
    }

    /// A conversation with the server at an endpoint, whose key is stated in Z85.
    ///
    /// - Parameter peer: names the server in errors.
    func link(to endpoint: String, serverKey: String?, peer: String) async throws(NodeError) -> MessageLink {
        let channel = try await connect(.dealer, to: endpoint, serverKey: try publicKey(serverKey))
        return MessageLink(channel, signature: signature, peer: "\(peer) at \(endpoint)")
    }

    /// Lends such a conversation to `body`, and ends it however that ends.
    func withLink<Value: Sendable>(
        to endpoint: String,
        serverKey: String?,
        peer: String,
        _ body: (MessageLink) async throws -> Value
    ) async throws -> Value {
        let link = try await link(to: endpoint, serverKey: serverKey, peer: peer)
        do {
            let value = try await body(link)
            await link.close()
            return value
        } catch {
            await link.close()
            throw error
        }
    }

    private func publicKey(_ text: String?) throws(NodeError) -> CurvePublicKey? {
        guard let text else { return nil }
        do { return try CurvePublicKey(text) } catch { throw .local("\(error)") }
    }
}
