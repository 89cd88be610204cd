package import ClusterMessages
package import Coordination
import GRDB

extension Ledger {
    /// A committed round as the file remembers it.
    package struct CommittedRow: Sendable, Equatable {
        /// The round and the hash of its parameters.
        package let version: ParameterVersion
        /// The manifest of its checkpoint.
        package let manifest: ContentHash
    }

    /// Enters a new life of the coordinator and returns what the lives before it left.
    ///
    /// - Parameter time: seconds since 1970.
    /// - Throws: `otherConfiguration` or `otherBeginning` when the file holds another run.
    package func begin(
        _ identity: RunIdentity,
        in folder: String,
        as incarnation: Incarnation,
        at time: Double
    ) throws(CoordinatorError) -> RunSnapshot {
        try transaction { database in
            try Self.enter(identity, folder, time, database)
            let generation = try Int.fetchOne(database, sql: "SELECT count(*) FROM incarnation") ?? 0
            try database.execute(
                sql: "INSERT INTO incarnation VALUES (?, ?, ?)",
                arguments: [generation, incarnation.description, time]
            )
            let last = try Self.lastRound(database)
            let initial = ParameterVersion(round: .initial, hash: identity.initialParameters)
            return RunSnapshot(
                generation: UInt32(clamping: generation),
                nodes: try Self.nodes(database),
                parameters: last?.version ?? initial,
                issued: UInt64(try Int64.fetchOne(database, sql: "SELECT max(issued) FROM round") ?? 0),
                committed: try Self.batches("committed", database),
                dead: try Self.batches("dead", database),
                contributors: try Self.contributors(of: last?.version.round ?? .initial, database)
            )
        }
    }

    /// The last committed round; nil before the first.
    package func lastRound() throws(CoordinatorError) -> CommittedRow? {
        try transaction(Self.lastRound)
    }

    /// Every committed round, ascending.
    func rounds() throws(CoordinatorError) -> [CommittedRow] {
        try transaction { database in
            try Row.fetchAll(database, sql: "SELECT * FROM round ORDER BY number").map(Self.committed)
        }
    }

    // MARK: Rows

    private static func enter(
        _ identity: RunIdentity,
        _ folder: String,
        _ time: Double,
        _ database: Database
    ) throws {
        guard let row = try Row.fetchOne(database, sql: "SELECT * FROM run") else {
            return try database.execute(
                sql: "INSERT INTO run VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    identity.runID, identity.configuration.description, identity.teacher.description,
                    identity.initialParameters.description, time,
                ]
            )
        }
        guard row["configuration"] == identity.configuration.description else {
            throw CoordinatorError.otherConfiguration(
                folder: folder,
                recorded: row["id"],
                given: identity.runID
            )
        }
        for (what, column, given) in [
            ("teacher", "teacher", identity.teacher),
            ("parameters", "initial_parameters", identity.initialParameters),
        ] where row[column] != given.description {
            throw CoordinatorError.otherBeginning(
                folder: folder,
                what: what,
                recorded: row[column],
                given: given.description
            )
        }
    }

    private static func lastRound(_ database: Database) throws -> CommittedRow? {
        try Row.fetchOne(database, sql: "SELECT * FROM round ORDER BY number DESC LIMIT 1").map(committed)
    }

    private static func committed(_ row: Row) throws -> CommittedRow {
        let number: Int64 = row["number"]
        guard let parameters = ContentHash(hexadecimal: row["parameters"]),
            let manifest = ContentHash(hexadecimal: row["manifest"])
        else { throw DatabaseError(message: "round \(number) has a malformed hash") }
        let version = ParameterVersion(round: RoundNumber(UInt64(number)), hash: parameters)
        return CommittedRow(version: version, manifest: manifest)
    }

    private static func nodes(_ database: Database) throws -> [KnownNode] {
        try Row.fetchAll(database, sql: "SELECT * FROM node ORDER BY id").map { row in
            guard let role = Role(rawValue: row["role"]) else {
                throw DatabaseError(message: "node \(row["id"] as Int64) has an unknown role")
            }
            return KnownNode(
                id: NodeID(UInt32(clamping: row["id"] as Int64)),
                identity: row["identity"],
                role: role,
                name: row["name"]
            )
        }
    }

    private static func contributors(of round: RoundNumber, _ database: Database) throws -> [NodeID] {
        try Int64.fetchAll(
            database,
            sql: "SELECT node FROM contribution WHERE round = ? ORDER BY node",
            arguments: [Int64(round.rawValue)]
        )
        .map { NodeID(UInt32(clamping: $0)) }
    }

    private static func batches(_ state: String, _ database: Database) throws -> [BatchID] {
        try Int64.fetchAll(
            database,
            sql: "SELECT id FROM batch WHERE state = ? ORDER BY id",
            arguments: [state]
        )
        .map { BatchID(UInt64($0)) }
    }
}
