/// Which checkpoints are worth their place on the disk.
package struct RetentionPolicy: Equatable, Sendable {
    /// How many of the newest rounds stay, at least 1.
    package let lastCount: Int
    /// Rounds that are multiples of this stay for ever; nil: none do.
    package let interval: UInt64?
    /// Rounds that stay whatever their age.
    package let pinned: Set<UInt64>

    /// Keeps the newest `lastCount` rounds, multiples of `interval`, and `pinned` ones.
    package init(keepingLast lastCount: Int, every interval: UInt64? = nil, pinned: Set<UInt64> = []) {
        precondition(lastCount >= 1, "the newest checkpoint stays, so \(lastCount) cannot be kept")
        precondition(interval != 0, "rounds are no multiples of 0")
        self.lastCount = lastCount
        self.interval = interval
        self.pinned = pinned
    }

    /// Those of `rounds` that may go, ascending.
    package func expired(of rounds: [UInt64]) -> [UInt64] {
        rounds.sorted().dropLast(lastCount).filter { round in
            !pinned.contains(round) && interval.map { !round.isMultiple(of: $0) } ?? true
        }
    }
}

extension CheckpointStore {
    /// Removes what the policy lets go and is older than a kept checkpoint that verifies.
    ///
    /// Returns the removed rounds, ascending.
    package func prune(_ policy: RetentionPolicy) throws(CheckpointError) -> [UInt64] {
        let rounds = try rounds()
        let expired = policy.expired(of: rounds)
        guard let oldest = expired.first else { return [] }
        let kept = rounds.filter { $0 > oldest && !expired.contains($0) }
        guard let anchor = kept.reversed().first(where: isVerified) else { return [] }
        let removed = expired.filter { $0 < anchor }
        for round in removed { try remove(round: round) }
        return removed
    }

    private func isVerified(_ round: UInt64) -> Bool {
        do {
            _ = try verify(round: round)
            return true
        } catch {
            return false
        }
    }
}
