import Coordination
import Foundation

/// The only place where the coordinator reads clocks.
struct RunClock: Sendable {
    private let start = ContinuousClock.now

    /// Time since this process began to serve, for decisions.
    var now: Instant { Instant.zero + start.duration(to: .now) }

    /// Seconds since 1970, for people.
    var time: Double { Date().timeIntervalSince1970 }
}
