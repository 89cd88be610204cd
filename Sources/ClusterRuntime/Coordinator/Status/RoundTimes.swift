import ClusterMessages
import Coordination

/// How long rounds take, and how much of that is averaging, as the log's lines tell.
///
/// A round lasts from its opening to the next one's, which is when its trainers take their next steps; the last round
/// ends with its commit. Averaging begins with the first offer, so waiting for the slower trainers is part of it.
struct RoundTimes: Sendable {
    /// One round; moments are seconds since 1970.
    private struct Moments {
        let round: RoundNumber
        let opened: Double
        var offered: Double?
        var committed: Double?
    }

    private var finished = AveragingTime()
    private var current: Moments?

    init() {}

    init(_ journal: [JournalLine]) {
        for line in journal { note(line) }
    }

    /// Takes a line of the log, in its order.
    mutating func note(_ line: JournalLine) {
        guard let round = line.round else { return }
        switch line.kind {
        case Occurrence.Kind.roundOpened.rawValue:
            guard current?.round != round else { return }
            if let current { finished += Self.time(of: current, until: line.time) }
            current = Moments(round: round, opened: line.time)
        case JournalLine.offered where current?.round == round && current?.offered == nil:
            current?.offered = line.time
        case Occurrence.Kind.roundCommitted.rawValue where current?.round == round:
            current?.committed = line.time
        default: break
        }
    }

    /// All rounds that are committed.
    var total: AveragingTime {
        guard let current, let committed = current.committed else { return finished }
        return finished + Self.time(of: current, until: committed)
    }

    /// Nothing for a round of which a moment is not known.
    private static func time(of round: Moments, until end: Double) -> AveragingTime {
        guard let offered = round.offered, let committed = round.committed else { return AveragingTime() }
        return AveragingTime(
            rounds: 1,
            seconds: max(0, end - round.opened),
            committing: max(0, committed - offered),
            resuming: max(0, end - committed)
        )
    }
}

/// What averaging took out of some rounds' time.
package struct AveragingTime: Codable, Sendable, Equatable {
    package var rounds = 0
    /// Seconds that the rounds took in all.
    package var seconds = 0.0
    /// Seconds from their first offers to their commits.
    package var committing = 0.0
    /// Seconds from their commits until their trainers went on.
    package var resuming = 0.0

    /// The part of the rounds' time between the first offer and the next step; 0 without a round.
    package var share: Double { seconds > 0 ? (committing + resuming) / seconds : 0 }

    static func + (left: Self, right: Self) -> Self {
        AveragingTime(
            rounds: left.rounds + right.rounds,
            seconds: left.seconds + right.seconds,
            committing: left.committing + right.committing,
            resuming: left.resuming + right.resuming
        )
    }

    static func += (left: inout Self, right: Self) { left = left + right }
}
