package import ClusterMessages
package import Coordination
import GRDB

extension Ledger {
    /// Writes a node down, so that it keeps its number.
    package func remember(_ node: KnownNode) throws(CoordinatorError) {
        try transaction { database in
            try database.execute(
                sql: """
                    INSERT INTO node VALUES (?, ?, ?, ?)
                    ON CONFLICT (id) DO UPDATE SET identity = excluded.identity, role = excluded.role,
                    name = excluded.name
                    """,
                arguments: [Int64(node.id.rawValue), node.identity, node.role.rawValue, node.name]
            )
        }
    }

    /// Writes a dead letter down.
    package func bury(_ letter: DeadLetter) throws(CoordinatorError) {
        try transaction { database in
            try database.execute(
                sql: "INSERT INTO batch (id, state, failures, reason) VALUES (?, 'dead', ?, ?)",
                arguments: [Int64(letter.batch.rawValue), letter.failures, letter.reason]
            )
        }
    }

    /// Commits a round: its batches, its contributions, its parameters and its manifest, or nothing of it.
    ///
    /// - Parameter time: seconds since 1970.
    package func commit(
        _ plan: RoundPlan,
        parameters: ContentHash,
        manifest: ContentHash,
        at time: Double
    ) throws(CoordinatorError) {
        let round = Int64(plan.round.rawValue)
        try transaction { database in
            try database.execute(
                sql: "INSERT INTO round VALUES (?, ?, ?, ?, ?)",
                arguments: [round, parameters.description, manifest.description, Int64(plan.issued), time]
            )
            for part in plan.contributions {
                try database.execute(
                    sql: "INSERT INTO contribution VALUES (?, ?, ?, ?)",
                    arguments: [round, Int64(part.node.rawValue), part.samples, part.offer.description]
                )
            }
            let insertion = try database.cachedStatement(
                sql: "INSERT INTO batch (id, state, round, trainer, uses) VALUES (?, 'committed', ?, ?, ?)"
            )
            for use in plan.uses {
                try insertion.execute(
                    arguments: [Int64(use.batch.rawValue), round, Int64(use.trainer.rawValue), use.uses]
                )
            }
            reached(.coordinatorBeforeCommit)
        }
    }

    /// Writes events down, for queries; ``Journal`` has written them as lines before.
    package func record(_ events: [JournalLine]) throws(CoordinatorError) {
        guard !events.isEmpty else { return }
        try transaction { database in
            let insertion = try database.cachedStatement(
                sql: "INSERT INTO event (time, kind, node, batch, round, text) VALUES (?, ?, ?, ?, ?, ?)"
            )
            for event in events {
                try insertion.execute(
                    arguments: [
                        event.time, event.kind, event.node.map { Int64($0.rawValue) },
                        event.batch.map { Int64($0.rawValue) }, event.round.map { Int64($0.rawValue) },
                        event.text ?? "",
                    ]
                )
            }
        }
    }
}
