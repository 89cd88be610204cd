package import ClusterMessages
import Foundation
import GRDB

/// All rows of a run's ledger, as a reader finds them.
package struct LedgerRows: Sendable, Equatable {
    /// A committed round.
    package struct Round: Sendable, Equatable {
        package var number: UInt64
        /// Batches issued when it was committed.
        package var issued: UInt64
    }

    /// A trainer's part of a round.
    package struct Contribution: Sendable, Equatable {
        package var round: UInt64
        package var trainer: NodeID
        /// The weight of its offer.
        package var samples: Int
    }

    /// A batch that is in the parameters.
    package struct Committed: Sendable, Equatable {
        package var batch: BatchID
        package var round: UInt64?
        package var trainer: NodeID?
        package var uses: Int?
    }

    /// In order of number.
    package var rounds: [Round] = []
    package var contributions: [Contribution] = []
    /// In order of batch.
    package var committed: [Committed] = []
    package var dead: [BatchID] = []
    package var trainers: Set<NodeID> = []
    /// The coordinator's processes, in order, as `started` lines name them.
    package var incarnations: [String] = []
    /// What SQLite itself finds wrong with the file; empty when nothing is.
    package var damage: [String] = []
}

extension LedgerRows {
    /// Reads the ledger of a run that no coordinator works on.
    package init(readingFolder folder: String) throws(CoordinatorError) {
        let path = "\(folder)/ledger.sqlite"
        guard FileManager.default.fileExists(atPath: path) else {
            throw .noLedger(path: path)
        }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .immediateError
        do {
            let database = try DatabaseQueue(path: path, configuration: configuration)
            self = try database.read(LedgerRows.init)
            try database.close()
        } catch let error as DatabaseError where error.isAboutContents {
            damage = ["\(error)"]
        } catch {
            throw CoordinatorError(error, ofLedger: path)
        }
    }

    private init(_ database: Database) throws {
        damage = try String.fetchAll(database, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
        guard damage.isEmpty else { return }
        rounds = try Row.fetchAll(database, sql: "SELECT * FROM round ORDER BY number").map {
            Round(number: UInt64(bitPattern: $0["number"]), issued: UInt64(bitPattern: $0["issued"]))
        }
        contributions = try Row.fetchAll(
            database,
            sql: "SELECT * FROM contribution ORDER BY round, node"
        )
        .map {
            Contribution(
                round: UInt64(bitPattern: $0["round"]),
                trainer: Self.node($0["node"]),
                samples: $0["samples"]
            )
        }
        committed = try Row.fetchAll(
            database,
            sql: "SELECT * FROM batch WHERE state = 'committed' ORDER BY id"
        )
        .map {
            Committed(
                batch: BatchID(UInt64(bitPattern: $0["id"])),
                round: ($0["round"] as Int64?).map { UInt64(bitPattern: $0) },
                trainer: ($0["trainer"] as Int64?).map(Self.node),
                uses: $0["uses"]
            )
        }
        dead = try Int64.fetchAll(database, sql: "SELECT id FROM batch WHERE state = 'dead' ORDER BY id")
            .map { BatchID(UInt64(bitPattern: $0)) }
        trainers = Set(
            try Int64.fetchAll(database, sql: "SELECT id FROM node WHERE role = 'trainer'").map(Self.node)
        )
        incarnations = try String.fetchAll(
            database,
            sql: "SELECT incarnation FROM incarnation ORDER BY generation"
        )
    }

    private static func node(_ number: Int64) -> NodeID { NodeID(UInt32(clamping: number)) }
}

extension DatabaseError {
    /// Whether the file can be read, but is no ledger, or no longer.
    fileprivate var isAboutContents: Bool {
        switch resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ERROR: true
        default: false
        }
    }
}
