/// How many messages a peer may send.
package struct RateLimit: Sendable, Equatable {
    /// Messages a second in the long run; at least 1.
    package let perSecond: Int
    /// Messages that may come at once after a silence; at least 1.
    package let burst: Int

    package init(perSecond: Int, burst: Int) {
        precondition(
            perSecond >= 1 && burst >= 1,
            "a peer may say something: \(perSecond) a second, \(burst) at once"
        )
        self.perSecond = perSecond
        self.burst = burst
    }
}

/// A token bucket for each peer of a channel.
struct PeerRates {
    /// Whose messages are counted together.
    enum Peer: Hashable {
        /// All connections of a key.
        case key(CurvePublicKey)
        case connection(RoutingID)

        init(_ message: ReceivedMessage) {
            self = message.userID.map { .key($0) } ?? .connection(message.peer ?? RoutingID([]))
        }
    }

    private struct Bucket {
        var tokens: Double
        var filledAt: ContinuousClock.Instant

        mutating func fill(_ limit: RateLimit, now: ContinuousClock.Instant) {
            let (seconds, attoseconds) = filledAt.duration(to: now).components
            let elapsed = Double(seconds) + Double(attoseconds) * 1e-18
            tokens = min(Double(limit.burst), tokens + elapsed * Double(limit.perSecond))
            filledAt = now
        }
    }

    /// Peers remembered at once; one that was silent for long enough need not be.
    static let peerLimit = 4096
    let limit: RateLimit
    private var buckets: [Peer: Bucket] = [:]

    init(limit: RateLimit) { self.limit = limit }

    var count: Int { buckets.count }

    /// Whether a message of this peer may be heard now.
    mutating func admits(_ peer: Peer, now: ContinuousClock.Instant) -> Bool {
        if buckets[peer] == nil, buckets.count >= Self.peerLimit {
            forgetSilent(now: now)
            guard buckets.count < Self.peerLimit else { return false }
        }
        var bucket = buckets[peer] ?? Bucket(tokens: Double(limit.burst), filledAt: now)
        bucket.fill(limit, now: now)
        let isAdmitted = bucket.tokens >= 1
        if isAdmitted { bucket.tokens -= 1 }
        buckets[peer] = bucket
        return isAdmitted
    }

    private mutating func forgetSilent(now: ContinuousClock.Instant) {
        buckets = buckets.filter { _, bucket in
            var bucket = bucket
            bucket.fill(limit, now: now)
            return bucket.tokens < Double(limit.burst)
        }
    }
}
