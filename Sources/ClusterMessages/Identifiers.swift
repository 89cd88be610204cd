/// A number that names one thing of the cluster and cannot be mistaken for the number of another.
///
/// Encoded as the bare number in JSON and YAML; ordered by it.
package protocol Identifier: RawRepresentable, Sendable, Hashable, Comparable, Codable,
    CustomStringConvertible
where RawValue: FixedWidthInteger & Codable & Sendable {
    /// Wraps any number; every value of the type is a legal name.
    init(rawValue: RawValue)
}

extension Identifier {
    /// Wraps `rawValue`.
    package init(_ rawValue: RawValue) { self.init(rawValue: rawValue) }

    /// The order of the numbers.
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The number in decimal.
    package var description: String { String(rawValue) }
}

/// A member of the cluster, numbered by the coordinator from 1 in order of first arrival; 0 is the coordinator.
package struct NodeID: Identifier {
    /// The number the coordinator gave.
    package let rawValue: UInt32

    /// Wraps a node's number.
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The coordinator itself.
    package static let coordinator = NodeID(0)
}

/// A batch of prompts: batch `b` of `n` samples holds corpus positions `b·n ..< (b+1)·n`.
package struct BatchID: Identifier {
    /// Position of the batch in the order of the corpus, from 0.
    package let rawValue: UInt64

    /// Wraps a batch's number.
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A round of averaging; 0 names the initial parameters and the first round commits 1.
package struct RoundNumber: Identifier {
    /// How many rounds were committed once this one is.
    package let rawValue: UInt64

    /// Wraps a round's number.
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The parameters before any training.
    package static let initial = RoundNumber(0)

    /// The round after this one.
    package var next: RoundNumber {
        precondition(rawValue < .max, "there is no round after \(rawValue)")
        return RoundNumber(rawValue + 1)
    }
}

/// One start of one process, drawn at random, so that a restarted node is told from its former self.
package struct Incarnation: Identifier {
    /// The random number.
    package let rawValue: UInt64

    /// Wraps an incarnation's number.
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// A new incarnation, never 0.
    package static func random() -> Incarnation { Incarnation(.random(in: 1 ... .max)) }

    /// Sixteen hexadecimal digits.
    package var description: String { hexadecimal(rawValue) }
}

/// What a welcomed node shows with its later messages on planes other than control.
package struct SessionToken: Identifier {
    /// The random number.
    package let rawValue: UInt64

    /// Wraps a token.
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// A new token, never 0.
    package static func random() -> SessionToken { SessionToken(.random(in: 1 ... .max)) }

    /// The first four digits only: a token stands in no log.
    package var description: String { hexadecimal(rawValue).prefix(4) + "…" }
}

/// The right to produce a batch: rises with every new lease of it, so that a late holder is recognised.
///
/// Ordered by epoch, then attempt.
package struct Fence: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    /// The cluster's epoch when the lease was granted; it rises at every join and leave.
    package let epoch: UInt64
    /// How many leases of the batch came before, from 0.
    package let attempt: UInt32

    /// A fence of an epoch and an attempt.
    package init(epoch: UInt64, attempt: UInt32) {
        self.epoch = epoch
        self.attempt = attempt
    }

    /// Epoch first, then attempt.
    package static func < (left: Fence, right: Fence) -> Bool {
        (left.epoch, left.attempt) < (right.epoch, right.attempt)
    }

    /// `epoch.attempt`, for example `7.2`.
    package var description: String { "\(epoch).\(attempt)" }
}

/// The sixteen hexadecimal digits of a number.
func hexadecimal(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}
