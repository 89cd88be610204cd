import ClusterMessages

/// How fast nodes work, and how fast they could if nothing kept them waiting.
///
/// A rollout's pace is samples solved in a second of computing. A trainer's is *fresh* samples, those it had not
/// trained on in the round, in a second of computing or exchanging: what it would take from the rollouts if it
/// never waited for them.
struct WorkRates: Sendable {
    /// Work done and the time it took, by some moment.
    private struct Mark: Sendable {
        var at: Double
        var samples: Int
        var busy: Double
    }

    private struct Account: Sendable {
        /// Where its process was first heard, the two last windows' beginnings, and the present.
        let first: Mark
        var base: Mark
        var middle: Mark
        var latest: Mark
    }

    /// Seconds after which the past is let go of: between one and two of them count.
    private static let window = 60.0
    /// Busy seconds below which a pace is a guess.
    private static let shortest = 0.5

    private var samples: [NodeID: Int] = [:]
    private var accounts: [NodeID: Account] = [:]

    /// Samples a node solved or freshly trained on since this coordinator's process began.
    func total(of node: NodeID) -> Int { samples[node] ?? 0 }

    /// A node did some more.
    mutating func did(_ count: Int, by node: NodeID) { samples[node, default: 0] += count }

    /// A node says how long it has been busy since its process began.
    ///
    /// - Parameters:
    ///   - busy: seconds.
    ///   - now: seconds on the coordinator's clock.
    mutating func heard(_ node: NodeID, busy: Double, now: Double) {
        let mark = Mark(at: now, samples: total(of: node), busy: busy)
        // A new process of the node begins at zero.
        guard var account = accounts[node], busy >= account.latest.busy else {
            accounts[node] = Account(first: mark, base: mark, middle: mark, latest: mark)
            return
        }
        account.latest = mark
        if now - account.middle.at >= Self.window {
            account.base = account.middle
            account.middle = mark
        }
        accounts[node] = account
    }

    /// Samples in a busy second; nil before it has done anything for long enough.
    func pace(of node: NodeID) -> Double? {
        guard let account = accounts[node] else { return nil }
        // A trainer that uses batches often may take longer than a window for one.
        return Self.pace(from: account.base, to: account.latest)
            ?? Self.pace(from: account.first, to: account.latest)
    }

    private static func pace(from start: Mark, to end: Mark) -> Double? {
        let (count, busy) = (end.samples - start.samples, end.busy - start.busy)
        return count > 0 && busy >= shortest ? Double(count) / busy : nil
    }

    /// Samples a second lately, waiting included.
    func perSecond(of node: NodeID) -> Double {
        guard let account = accounts[node], account.latest.at > account.base.at else { return 0 }
        return Double(account.latest.samples - account.base.samples) / (account.latest.at - account.base.at)
    }

    /// Rollouts whose paces together would just feed the trainers: ⌈Σ trainers' paces ÷ mean rollouts' pace⌉.
    ///
    /// - Returns: nil before both paces are known.
    func recommendedRollouts(rollouts: [NodeID], trainers: [NodeID]) -> Int? {
        let made = rollouts.compactMap(pace(of:))
        let taken = trainers.compactMap(pace(of:))
        guard !made.isEmpty, !taken.isEmpty else { return nil }
        // A trainer not measured yet is taken for one like the others.
        let demand = taken.reduce(0, +) / Double(taken.count) * Double(trainers.count)
        let ratio = (demand / (made.reduce(0, +) / Double(made.count))).rounded(.up)
        return ratio < 1e6 ? max(1, Int(ratio)) : nil
    }
}
