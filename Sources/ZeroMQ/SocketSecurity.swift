import CZeroMQ

/// How a channel proves who it is and whom it lets in.
package enum SocketSecurity: Sendable {
    /// Binds, encrypts, and lets in only the keys the ``Authenticator`` allows for `domain`, never empty.
    ///
    /// Without a running authenticator nobody is let in.
    case curveServer(CurveKeyPair, domain: String)
    /// Connects, encrypts, and speaks only to the owner of `serverKey`.
    case curveClient(CurveKeyPair, serverKey: CurvePublicKey)
    /// Neither encrypts nor asks for a key; only within this machine and only if the ``Context`` allows it.
    case plain
}

extension SocketSecurity {
    /// The draft option ZMQ_ZAP_ENFORCE_DOMAIN, which libzmq 4.3.4 hides in its header and honours.
    static let enforceDomain: Int32 = 93

    /// Sets the socket's options; must precede its first bind or connect.
    ///
    /// libzmq fails open: a CURVE server without a ZAP handler lets everybody in unless it has a domain *and*
    /// enforces it, and enforcing an empty domain switches a working handler off.
    func apply(to socket: borrowing Socket) throws(ZeroMQError) {
        switch self {
        case .curveServer(let keys, let domain):
            precondition(!domain.isEmpty, "a CURVE server without a ZAP domain would let everybody in")
            try socket.set(ZMQ_CURVE_SERVER, to: 1)
            try socket.set(ZMQ_CURVE_SECRETKEY, to: keys.secretKey)
            try socket.set(ZMQ_ZAP_DOMAIN, to: domain)
            try socket.set(Self.enforceDomain, to: 1)
        case .curveClient(let keys, let serverKey):
            try socket.set(ZMQ_CURVE_SERVERKEY, to: serverKey.text)
            try socket.set(ZMQ_CURVE_PUBLICKEY, to: keys.publicKey.text)
            try socket.set(ZMQ_CURVE_SECRETKEY, to: keys.secretKey)
        case .plain:
            break
        }
    }

    /// Refuses an endpoint this security must not be used on.
    func check(_ endpoint: String, in context: Context) throws(ZeroMQError) {
        guard case .plain = self else { return }
        guard context.allowsInsecure && staysOnThisMachine(endpoint) else {
            throw .insecureEndpoint(endpoint)
        }
    }
}

/// Whether nothing sent over the endpoint can leave the machine.
///
/// Strict on purpose: a host name such as `127.0.0.1.example.org` and libzmq's `source;destination` form are
/// not loopback.
func staysOnThisMachine(_ endpoint: String) -> Bool {
    if endpoint.hasPrefix("ipc://") || endpoint.hasPrefix("inproc://") { return true }
    let scheme = "tcp://"
    guard endpoint.hasPrefix(scheme), let colon = endpoint.lastIndex(of: ":") else { return false }
    let start = endpoint.index(endpoint.startIndex, offsetBy: scheme.count)
    guard start < colon else { return false }
    let host = endpoint[start..<colon]
    if host == "localhost" || host == "[::1]" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
}
