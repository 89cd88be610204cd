/// How many requests each address may still make: a bucket each, which fills at a steady rate.
struct RequestRate: Sendable {
    private struct Bucket: Sendable {
        var level: Double
        var at: ContinuousClock.Instant
    }

    /// Addresses remembered; a full bucket need not be.
    private static let limit = 256

    let perSecond: Double
    let burst: Double
    private var buckets: [String: Bucket] = [:]

    init(perSecond: Double, burst: Double) {
        self.perSecond = perSecond
        self.burst = burst
    }

    /// Takes one request of an address, if it may make one.
    mutating func admits(_ client: String, at now: ContinuousClock.Instant) -> Bool {
        if buckets.count >= Self.limit, buckets[client] == nil {
            buckets = buckets.filter { self.level(of: $0.value, at: now) < burst }
            guard buckets.count < Self.limit else { return false }
        }
        let level = buckets[client].map { self.level(of: $0, at: now) } ?? burst
        let isAdmitted = level >= 1
        buckets[client] = Bucket(level: isAdmitted ? level - 1 : level, at: now)
        return isAdmitted
    }

    private func level(of bucket: Bucket, at now: ContinuousClock.Instant) -> Double {
        let time = bucket.at.duration(to: now) / .seconds(1)
        return min(burst, bucket.level + time * perSecond)
    }
}
