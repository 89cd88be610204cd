/// A moment on the coordinator's monotonic clock; it means nothing on another machine or after a restart.
///
/// Wall clocks jump, so no decision of the cluster reads one. The runtime makes instants from its
/// `ContinuousClock`, the tests by counting.
package struct Instant: Sendable, Hashable, Comparable {
    /// Nanoseconds since the clock's origin, which is the reader's own choice.
    package let nanoseconds: Int64

    /// The clock's origin.
    package static let zero = Instant(nanoseconds: 0)

    /// A moment `nanoseconds` after the origin.
    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// How long after this moment `other` is; negative when it is before.
    package func duration(to other: Instant) -> Duration {
        .nanoseconds(other.nanoseconds - nanoseconds)
    }

    /// A moment moved by a duration, to the nanosecond.
    package static func + (moment: Instant, duration: Duration) -> Instant {
        let (seconds, attoseconds) = duration.components
        let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        return Instant(nanoseconds: moment.nanoseconds + nanoseconds)
    }

    /// Moves a moment by a duration.
    package static func += (moment: inout Instant, duration: Duration) { moment = moment + duration }

    /// Earlier is less.
    package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }
}
