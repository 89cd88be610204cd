import ClusterMessages
import Tensors

/// The batches assigned to a trainer and not yet begun, in the order of their assignment.
///
/// One that is to come after another waits until that is begun, even if that has yet to be assigned again.
/// After a welcome they are in doubt: the coordinator assigns those again that are still this trainer's, and the
/// pong that follows settles that the others are not.
struct PrefetchQueue: Sendable {
    private struct Entry {
        let assignment: Message.Assign
        /// The batch to begin before it, as last told.
        var after: BatchID?
        /// Its bytes, one piece behind the other.
        var pieces: [[UInt8]]?
        var isInDoubt = false
    }

    private var entries: [Entry] = []
    /// Batches that the present round has begun: they are assigned again and again until they are used up.
    private var begun: Set<BatchID> = []

    /// Takes an assignment; true if it is to be fetched.
    mutating func add(_ assignment: Message.Assign) -> Bool {
        if begun.contains(assignment.batch) { return false }
        if let index = entries.firstIndex(where: { $0.assignment.batch == assignment.batch }) {
            if entries[index].assignment.hash == assignment.hash {
                entries[index].isInDoubt = false
                entries[index].after = assignment.after
                return false
            }
            entries.remove(at: index)
        }
        entries.append(Entry(assignment: assignment, after: assignment.after))
        return true
    }

    /// The bytes of an assignment are here.
    mutating func arrived(_ assignment: Message.Assign, _ pieces: [[UInt8]]) {
        guard let index = entries.firstIndex(where: { $0.assignment == assignment }) else { return }
        entries[index].pieces = pieces
    }

    /// An assignment cannot be fetched; false if it is not wanted any more.
    mutating func failed(_ assignment: Message.Assign) -> Bool {
        guard let index = entries.firstIndex(where: { $0.assignment == assignment }) else { return false }
        entries.remove(at: index)
        return true
    }

    /// Takes the first batch that need not wait for another, if it is here and known to be this trainer's.
    mutating func takeFirst() -> (assignment: Message.Assign, pieces: [[UInt8]])? {
        guard let index = nextIndex else { return nil }
        let first = entries[index]
        guard !first.isInDoubt, let pieces = first.pieces else { return nil }
        entries.remove(at: index)
        begun.insert(first.assignment.batch)
        return (first.assignment, pieces)
    }

    private var nextIndex: Int? {
        entries.firstIndex { $0.after.map(begun.contains) ?? true }
    }

    /// A new session began.
    ///
    /// - Parameter isRoundOver: whether the round in which batches were begun was committed meanwhile: who missed that
    ///   may be assigned them anew.
    mutating func doubt(isRoundOver: Bool) {
        if isRoundOver { endRound() }
        for index in entries.indices { entries[index].isInDoubt = true }
    }

    /// The session's first assignments are all here.
    mutating func settle() { entries.removeAll(where: \.isInDoubt) }

    /// The round is over: what it had begun may be assigned anew.
    mutating func endRound() { begun = [] }

    /// Everything was taken back.
    mutating func removeAll() {
        entries = []
        begun = []
    }

    /// Bytes that wait to be used.
    var byteCount: Int { entries.reduce(0) { $0 + ($1.pieces?.byteCount ?? 0) } }

    /// What the next batch waits for, for people.
    var reason: String {
        guard !entries.isEmpty else { return "waits for trajectories to be assigned" }
        guard let index = nextIndex else {
            let missing = entries.compactMap(\.after).min()?.description ?? ""
            return "waits for batch \(missing), the next in order, to be assigned again"
        }
        let first = entries[index]
        if first.isInDoubt { return "waits to hear whether batch \(first.assignment.batch) is still its own" }
        return "fetches batch \(first.assignment.batch) from node \(first.assignment.holder)"
    }
}
