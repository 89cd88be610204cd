import ZeroMQ

extension ChannelSettings {
    /// What a server takes from its peers, who are anybody until they prove a key and may be broken afterwards.
    ///
    /// A message is at most the largest header and body, and a payload. The number of connections stays below
    /// what a process may have open by default.
    static func server(
        peerRate: RateLimit,
        handshakeTime: Duration = .seconds(5)
    ) -> ChannelSettings {
        ChannelSettings(
            messageByteLimit: (1 << 20) + (64 << 10),
            peerRate: peerRate,
            connectionLimit: ConnectionLimit(count: 320, unfinishedByteCount: 8 << 20),
            handshakeTime: handshakeTime
        )
    }
}

extension RateLimit {
    /// Of subscriptions, of which every node makes one a connection.
    static let subscription = RateLimit(perSecond: 2, burst: 32)
    /// Of messages that need a decision: pings, reports, leases.
    static let conversation = RateLimit(perSecond: 2_000, burst: 4_000)
    /// Of requests that are answered with bytes, and of pieces of up to 1 MiB.
    static let transfer = RateLimit(perSecond: 20_000, burst: 40_000)
}
