import ClusterMessages

/// How long a lease may last on each node, learnt from how long its last batches took.
///
/// The term is `max(floor, factor · p95)` over a node's last 32 batches. A machine much slower than the floor
/// keeps its first lease by the progress it shows.
struct LeaseTerms: Sendable {
    private static let memory = 32

    private let floor: Duration
    private let factor: Int
    private var seconds: [NodeID: [Duration]] = [:]

    init(floor: Duration, factor: Int) {
        self.floor = floor
        self.factor = factor
    }

    /// Learns that a batch took `duration` from lease to result.
    mutating func record(_ duration: Duration, on node: NodeID) {
        var recent = seconds[node] ?? []
        if recent.count == Self.memory { recent.removeFirst() }
        recent.append(duration)
        seconds[node] = recent
    }

    /// The term of the node's next lease.
    func term(on node: NodeID) -> Duration {
        guard let recent = seconds[node]?.sorted() else { return floor }
        let rank = (recent.count * 95 + 99) / 100  // nearest rank, from 1
        return max(floor, recent[rank - 1] * factor)
    }

    /// Forgets a node, whose next process may run on another machine.
    mutating func forget(_ node: NodeID) { seconds[node] = nil }
}
