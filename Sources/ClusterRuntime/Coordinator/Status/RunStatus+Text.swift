import ClusterMessages

extension RunStatus {
    /// The status for a person: the run, its nodes, and a reason for everything that does not progress.
    package var text: String {
        var lines = ["run \(runID): \(state), round \(round) of \(rounds)"]
        let left = ProgressLine.left(secondsLeft)
        if !left.isEmpty { lines[0] += ", about \(left)" }
        lines.append(
            "batches    \(batches.pending) pending, \(batches.leased) leased, \(batches.produced) produced, "
                + "\(batches.assigned) assigned, \(batches.consumed) consumed, \(batches.committed) committed, "
                + "\(batches.dead) dead"
        )
        if averaging.rounds > 0 {
            let perRound = averaging.seconds / Double(averaging.rounds)
            let figures = [averaging.share * 100, perRound].map { ($0 * 10).rounded() / 10 }
            lines.append("averaging  \(figures[0]) % of a round of \(figures[1]) s")
        }
        for node in nodes {
            // What a node that has gone did last is not what it does.
            let isGone = ["left", "dead"].contains(node.state)
            let activity = isGone || node.activity.isEmpty ? "" : ": \(node.activity)"
            lines.append("node \(node.id)     \(node.name), \(node.role), \(node.state)\(activity)")
        }
        lines += waitingOn.map { "waiting    \($0)" }
        let dropped = doors.reduce(0) { $0 + $1.tooManyFrames + $1.tooLarge + $1.tooFast }
        let cut = doors.reduce(0) { $0 + $1.cut }
        if refusals + dropped + cut > 0 {
            lines.append("refused    \(refusals), dropped \(dropped) messages, cut \(cut) connections")
        }
        return lines.joined(separator: "\n")
    }
}
