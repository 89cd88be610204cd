import ClusterMessages
import ClusterRuntime
import Coordination

/// A run's past as the page draws it, in bounded memory: it folds the log's lines and the coordinator's reports.
struct RunHistory: Sendable {
    /// One round's way, in seconds since 1970.
    struct Round: Sendable, Equatable, Encodable {
        let round: RoundNumber
        let opened: Double
        /// When the first trainer began to offer.
        var offered: Double?
        var committed: Double?
    }

    /// An event that people read, numbered from 1 as they came.
    struct Event: Sendable, Equatable, Encodable {
        let number: Int
        let time: Double
        let kind: String
        var node: NodeID?
        var batch: BatchID?
        var round: RoundNumber?
        var text: String?
    }

    /// Kinds of lines that come with every batch, which nobody reads one by one.
    static let routine: Set<String> = ["leased", "assigned", "consumed"]
    /// Seconds between two points of the throughput's curve.
    private static let pause = 5.0
    private static let paceCount = 6
    private static let eventLimit = 200
    private static let roundLimit = 60
    private static let textLimit = 400

    /// Mean losses of the rounds, by the time of their commits.
    private(set) var losses = DecimatedSeries(capacity: 400)
    /// Losses of the newest steps, by time, since this process began.
    private(set) var steps = DecimatedSeries(capacity: 400)
    /// Samples a second, by time: solved by rollouts, and first used by trainers; and bytes a second.
    private(set) var throughput = DecimatedSeries(capacity: 400)
    /// The latest rounds, oldest first.
    private(set) var rounds: [Round] = []
    /// The latest events, oldest first.
    private(set) var events: [Event] = []
    /// Changes when anything but the events does.
    private(set) var version = 0
    private var eventCount = 0
    /// Reports of the last half minute, from which paces come: batches are too few for shorter ones.
    private var recent: [RunStatus] = []

    /// Takes a line of the log, in its order.
    mutating func note(_ line: JournalLine) {
        guard !Self.routine.contains(line.kind) else { return }
        switch line.kind {
        case "losses":
            guard let terms = line.losses else { return }
            losses.add(.init(x: line.time, values: terms))
            version += 1
            return
        case "offered":
            if let index = index(of: line.round), rounds[index].offered == nil {
                rounds[index].offered = line.time
            }
            return
        case Occurrence.Kind.roundOpened.rawValue:
            if let round = line.round, index(of: round) == nil {
                rounds.append(Round(round: round, opened: line.time))
                if rounds.count > Self.roundLimit { rounds.removeFirst() }
                version += 1
            }
        case Occurrence.Kind.roundCommitted.rawValue:
            if let index = index(of: line.round) { rounds[index].committed = line.time }
            version += 1
        default: break
        }
        eventCount += 1
        events.append(
            Event(
                number: eventCount,
                time: line.time,
                kind: line.kind,
                node: line.node,
                batch: line.batch,
                round: line.round,
                text: line.text.map { String($0.prefix(Self.textLimit)) }
            )
        )
        if events.count > Self.eventLimit { events.removeFirst() }
    }

    /// Takes a report of the coordinator; the first only says where counting begins.
    mutating func note(_ status: RunStatus) {
        guard let last = recent.last, let first = recent.first else {
            recent = [status]
            return
        }
        guard status.elapsed - last.elapsed >= Self.pause else { return }
        let seconds = status.elapsed - first.elapsed
        recent.append(status)
        if recent.count > Self.paceCount { recent.removeFirst() }
        version += 1
        if status.losses != last.losses { steps.add(.init(x: status.time, values: status.losses)) }
        func rate(_ count: (RunStatus) -> Int) -> Double {
            max(0, Double(count(status) - count(first)) / seconds)
        }
        throughput.add(
            .init(
                x: status.time,
                values: [
                    "solved": rate(\.trajectories.total),
                    "trained": rate { $0.nodes.reduce(0) { $0 + ($1.role == .trainer ? $1.samples : 0) } },
                    "bytes": rate { $0.doors.reduce(0) { $0 + $1.byteCount + $1.sentByteCount } },
                ]
            )
        )
    }

    private func index(of round: RoundNumber?) -> Int? { rounds.lastIndex { $0.round == round } }
}
