import ClusterMessages
import Coordination

/// How long things took and how often they happened since this coordinator's process began.
package struct RunFigures: Codable, Sendable, Equatable {
    /// Seconds a rollout solved a batch, as it says.
    package var rolloutSeconds = Histogram.ofWork
    /// Seconds from a batch's lease to its result, waiting in the rollout's queue included.
    package var leaseSeconds = Histogram.ofWork
    /// Seconds to commit a round, by phase: averaging, files, ledger.
    package var commitSeconds: [String: Histogram] = [:]
    /// Seconds of the ledger's transactions.
    package var ledgerSeconds = Histogram.ofStorage
    /// Lines of the log, by kind.
    package var events: [String: Int] = [:]
    /// Results of leases that the rollouts reported.
    package var producedBatches = 0
    /// Bytes of trajectories that trainers fetched from rollouts and began with, each once a round.
    package var fetchedByteCount = 0
    /// A batch's first use in a round.
    package var freshUses = 0
    /// Any further use of it in the round.
    package var repeatedUses = 0
    /// When the last checkpoint was committed, seconds since 1970; nil before this process committed one.
    package var lastCheckpointTime: Double?
    /// Rollout workers that would just keep up with the trainers that are here; nil while nobody knows.
    package var recommendedRollouts: Int?

    package var evaluations = Evaluations()

    package init() {}

    /// Mean numbers of evaluations of networks; a guided one of the teacher counts as two.
    package struct Evaluations: Codable, Sendable, Equatable {
        /// In rollouts, for a whole trajectory.
        package var teacherPerTrajectory = 0.0
        /// In trainers, for a sample of an update, with and without gradients.
        package var studentPerSample = 0.0
        package var teacherPerSample = 0.0
        package var criticPerSample = 0.0
    }

    /// Takes a line of the log.
    mutating func note(_ line: JournalLine) {
        events[line.kind, default: 0] += 1
        switch line.kind {
        case JournalLine.consumed where line.use == 1: freshUses += 1
        case JournalLine.consumed: repeatedUses += 1
        case Occurrence.Kind.roundCommitted.rawValue: lastCheckpointTime = line.time
        default: break
        }
    }

    /// Takes how long a round's commit took.
    mutating func note(_ times: CommitTimes) {
        for (phase, time) in [("average", times.average), ("files", times.files), ("ledger", times.ledger)] {
            commitSeconds[phase, default: .ofWork].add(time.inSeconds)
        }
    }
}

/// How long the parts of a round's commit took.
struct CommitTimes: Sendable, Equatable {
    var average = Duration.zero
    /// Writing the checkpoint's files until they are on the disk.
    var files = Duration.zero
    var ledger = Duration.zero
}

/// Measures one part of some work after another.
struct Stopwatch: Sendable {
    private var start = ContinuousClock.now

    /// Time since it was made, or since the last lap.
    mutating func lap() -> Duration {
        let now = ContinuousClock.now
        defer { start = now }
        return start.duration(to: now)
    }
}

/// Since when the leases are out whose results have yet to come.
struct OpenLeases: Sendable {
    /// More than any coordinator lets be out at once; beyond it the oldest is no longer measured.
    private static let limit = 4096
    private var grantedAt: [BatchID: (fence: Fence, at: Instant)] = [:]

    /// A lease was granted; a later one of the batch takes its place.
    mutating func grant(_ batch: BatchID, _ fence: Fence, at now: Instant) {
        if grantedAt.count >= Self.limit, let oldest = grantedAt.min(by: { $0.value.at < $1.value.at }) {
            grantedAt[oldest.key] = nil
        }
        grantedAt[batch] = (fence, now)
    }

    /// A result came: how long it took, if it is the first of that lease.
    mutating func settle(_ batch: BatchID, _ fence: Fence, at now: Instant) -> Duration? {
        guard let lease = grantedAt[batch], lease.fence == fence else { return nil }
        grantedAt[batch] = nil
        return lease.at.duration(to: now)
    }
}
