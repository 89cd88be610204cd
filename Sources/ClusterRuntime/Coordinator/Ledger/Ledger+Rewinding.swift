package import Checkpoints
package import ClusterMessages
import Coordination
import GRDB

/// Taking commits back, when the checkpoint they led to is lost.
extension Ledger {
    /// A past rewinding: to which round, and the story for people.
    package struct Rewinding: Sendable, Equatable {
        /// The round that became the last one.
        package let round: RoundNumber
        /// Seconds since 1970.
        package let time: Double
        /// What was taken back, and why.
        package let text: String
    }

    /// The newest round before another one whose checkpoint verifies and is the one that was committed; the
    /// initial parameters where there is none.
    func newestWhole(
        in store: CheckpointStore,
        before limit: RoundNumber
    ) throws(CoordinatorError) -> RoundNumber {
        for round in try rounds().reversed() where round.version.round < limit {
            if Self.flaw(of: round, in: store) == nil { return round.version.round }
        }
        return .initial
    }

    /// Makes `round` the last one: the rounds after it never happened, their batches are to be done again.
    ///
    /// One transaction. What is dead stays dead.
    ///
    /// - Parameter time: seconds since 1970.
    /// - Returns: how many rounds were taken back.
    /// - Throws: `noRewinding` when there is nothing after the round, or nothing to go on from.
    package func rewind(
        to round: RoundNumber,
        checkpoints store: CheckpointStore,
        at time: Double
    ) throws(CoordinatorError) -> Int {
        func refusal(_ reason: String) -> CoordinatorError {
            .noRewinding(folder: store.folder, to: round, reason: reason)
        }
        let rounds = try rounds()
        guard let last = rounds.last?.version.round, round < last else {
            throw refusal("the last committed round is \(rounds.last?.version.round ?? .initial)")
        }
        if round != .initial {
            guard let row = rounds.first(where: { $0.version.round == round }) else {
                throw refusal("the ledger does not have it")
            }
            if let flaw = Self.flaw(of: row, in: store) { throw refusal(flaw) }
        }
        let number = Int64(round.rawValue)
        let text = "rounds \(round.next) to \(last) are taken back, their batches are done again"
        try transaction { database in
            for sql in [
                "DELETE FROM contribution WHERE round > ?",
                "DELETE FROM batch WHERE state = 'committed' AND round > ?",
                "DELETE FROM round WHERE number > ?",
            ] { try database.execute(sql: sql, arguments: [number]) }
            try database.execute(
                sql: "INSERT INTO event (time, kind, round, text) VALUES (?, ?, ?, ?)",
                arguments: [time, JournalLine.rewound, number, text]
            )
        }
        return Int(last.rawValue - round.rawValue)
    }

    /// Every rewinding so far, oldest first.
    package func rewindings() throws(CoordinatorError) -> [Rewinding] {
        try transaction { database in
            try Row.fetchAll(
                database,
                sql: "SELECT * FROM event WHERE kind = ? ORDER BY id",
                arguments: [JournalLine.rewound]
            )
            .map {
                Rewinding(
                    round: RoundNumber(UInt64($0["round"] as Int64? ?? 0)),
                    time: $0["time"],
                    text: $0["text"]
                )
            }
        }
    }

    /// What is wrong with a committed round's checkpoint; nil when nothing is.
    private static func flaw(of row: CommittedRow, in store: CheckpointStore) -> String? {
        do {
            let checkpoint = try store.verify(round: row.version.round.rawValue)
            let isSame = ContentHash(checkpoint.manifestHash) == row.manifest
            return isSame ? nil : "its checkpoint's manifest is not \(row.manifest)"
        } catch {
            return "\(error)"
        }
    }
}
