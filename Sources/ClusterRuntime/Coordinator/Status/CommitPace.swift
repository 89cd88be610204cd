import Coordination

/// How fast rounds are committed, and what that says about those to come.
struct CommitPace: Sendable {
    private var commits = 0
    /// When the last round was committed.
    private var last = Instant.zero

    /// Counts a round.
    mutating func committed(at now: Instant) {
        commits += 1
        last = now
    }

    /// Seconds until so many more `rounds` are committed; nil before the first commit.
    ///
    /// It falls while a round is at work, and stays where the rounds after it begin when that one takes longer than others.
    func secondsLeft(_ rounds: UInt64, at now: Instant) -> Double? {
        guard commits > 0 else { return nil }
        let round = Instant.zero.duration(to: last).inSeconds / Double(commits)
        return round * Double(rounds) - min(round, last.duration(to: now).inSeconds)
    }
}
