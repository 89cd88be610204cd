/// Tells whether the messages of one session come without loss, by the numbers their sender gives them.
///
/// ZeroMQ drops what was queued for a connection that broke, silently. Each sender therefore numbers the
/// messages of a session from its hello (or welcome) on, a gap ends the session, and the new hello repairs
/// whatever was lost.
package struct SequenceGate: Sendable, Equatable {
    /// How a number follows the last one.
    package enum Verdict: Sendable, Equatable {
        case next, repeated, gap
    }

    private var last: UInt64

    /// Expects the number after `first`, that of the hello or welcome.
    package init(after first: UInt64) { last = first }

    /// Judges a message's number; only the next one moves the gate.
    package mutating func admit(_ sequence: UInt64) -> Verdict {
        guard sequence > last else { return .repeated }
        guard sequence == last + 1 else { return .gap }
        last = sequence
        return .next
    }
}
