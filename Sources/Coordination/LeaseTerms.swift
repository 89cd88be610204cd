import ClusterMessages

/// How long a lease may last on each node, learnt from how long its last batches took.
///
/// The term is `max(floor, factor · p95)` over a node's last 32 batches. A machine much slower than the floor
/// keeps its first lease by the progress it shows.
struct LeaseTerms: Sendable {
    private static let memory = 32
    /// Batches of all nodes together that must be known before one can be called late.
    private static let leastForTail = 4

    private let floor: Duration
    private let factor: Int
    private var seconds: [NodeID: [Duration]] = [:]
    /// How many are remembered, and how many of them came since ``tail`` was found.
    private var count = 0
    private var newCount = 0
    /// The age at which a lease is late, whatever node has it; nil as long as too little is known.
    ///
    /// The median over all nodes plus three median absolute deviations, but at least half as much again: on
    /// machines that are all alike the deviation is next to nothing. A few more batches hardly move it, so it is found
    /// anew when there are a sixteenth more.
    private(set) var tail: Duration?

    init(floor: Duration, factor: Int) {
        self.floor = floor
        self.factor = factor
    }

    /// Learns that a batch took `duration` from lease to result.
    mutating func record(_ duration: Duration, on node: NodeID) {
        var recent = seconds[node] ?? []
        if recent.count == Self.memory { recent.removeFirst() } else { count += 1 }
        recent.append(duration)
        seconds[node] = recent
        newCount += 1
        if newCount * 16 >= count { findTail() }
    }

    /// The term of the node's next lease.
    func term(on node: NodeID) -> Duration {
        guard let recent = seconds[node]?.sorted() else { return floor }
        let rank = (recent.count * 95 + 99) / 100  // nearest rank, from 1
        return max(floor, recent[rank - 1] * factor)
    }

    private mutating func findTail() {
        newCount = 0
        tail = nil
        let durations = seconds.values.joined().sorted()
        guard durations.count >= Self.leastForTail else { return }
        let median = durations[durations.count / 2]
        let deviations = durations.map { $0 < median ? median - $0 : $0 - median }.sorted()
        tail = median + max(deviations[deviations.count / 2] * 3, median / 2)
    }

    /// Forgets a node, whose next process may run on another machine.
    mutating func forget(_ node: NodeID) {
        let forgotten = seconds.removeValue(forKey: node)?.count ?? 0
        count -= forgotten
        newCount += forgotten
    }
}
