import Coordination
import Foundation
import GRDB
import Synchronization

/// The run's durable memory: a SQLite file that survives `kill -9` and power cuts, and has one owner.
///
/// Every method is one transaction, on the disk when it returns (write-ahead log, synchronous=FULL). The file
/// is locked for as long as the ledger lives, so a second coordinator on the folder is refused.
package final class Ledger: Sendable {
    /// The file.
    package let path: String
    private let database: DatabaseQueue
    private let times = Mutex(Histogram.ofStorage)

    /// Opens or creates `ledger.sqlite` in a folder, which must be there.
    package init(folder: String) throws(CoordinatorError) {
        path = "\(folder)/ledger.sqlite"
        var configuration = Configuration()
        configuration.label = "ledger"
        configuration.busyMode = .immediateError
        configuration.prepareDatabase { database in
            // The lock's mode comes first: only then the log needs no memory shared with other processes.
            try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
            try database.execute(sql: "PRAGMA journal_mode = WAL")
            try database.execute(sql: "PRAGMA synchronous = FULL")
        }
        do {
            database = try DatabaseQueue(path: path, configuration: configuration)
            try database.inDatabase { database in
                try database.inTransaction(.exclusive) {
                    try database.execute(sql: Self.schema)
                    return .commit
                }
            }
        } catch {
            throw CoordinatorError(error, ofLedger: path)
        }
    }

    /// Ends the ownership; nothing may be read or written afterwards.
    package func close() throws(CoordinatorError) {
        do { try database.close() } catch { throw CoordinatorError(error, ofLedger: path) }
    }

    func transaction<Value>(_ body: (Database) throws -> Value) throws(CoordinatorError) -> Value {
        let start = ContinuousClock.now
        defer { times.withLock { $0.add(start.duration(to: .now).inSeconds) } }
        do { return try database.write(body) } catch { throw CoordinatorError(error, ofLedger: path) }
    }

    /// How long transactions took since it was opened.
    var seconds: Histogram { times.withLock { $0 } }
}

extension CoordinatorError {
    /// What an error of SQLite means for the ledger's owner or reader.
    init(_ error: any Error, ofLedger path: String) {
        switch error {
        case let error as CoordinatorError: self = error
        case let error as DatabaseError where error.resultCode == .SQLITE_BUSY:
            self = .folderInUse(path: path)
        case let error as DatabaseError where error.resultCode == .SQLITE_FULL:
            self = .diskFull(path: path)
        default: self = .ledger(path: path, reason: "\(error)")
        }
    }
}

// MARK: - Schema

extension Ledger {
    /// Batches that are neither committed nor dead need no row: they are done again.
    fileprivate static let schema = """
        CREATE TABLE IF NOT EXISTS run (
            id TEXT PRIMARY KEY, configuration TEXT NOT NULL, teacher TEXT NOT NULL,
            initial_parameters TEXT NOT NULL, created REAL NOT NULL
        ) STRICT;
        CREATE TABLE IF NOT EXISTS incarnation (
            generation INTEGER PRIMARY KEY, incarnation TEXT NOT NULL, started REAL NOT NULL
        ) STRICT;
        CREATE TABLE IF NOT EXISTS node (
            id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE, role TEXT NOT NULL, name TEXT NOT NULL
        ) STRICT;
        CREATE TABLE IF NOT EXISTS round (
            number INTEGER PRIMARY KEY, parameters TEXT NOT NULL, manifest TEXT NOT NULL,
            issued INTEGER NOT NULL, committed REAL NOT NULL
        ) STRICT;
        CREATE TABLE IF NOT EXISTS contribution (
            round INTEGER NOT NULL REFERENCES round, node INTEGER NOT NULL, samples INTEGER NOT NULL,
            offer TEXT NOT NULL, PRIMARY KEY (round, node)
        ) STRICT;
        CREATE TABLE IF NOT EXISTS batch (
            id INTEGER PRIMARY KEY, state TEXT NOT NULL CHECK (state IN ('committed', 'dead')),
            round INTEGER, trainer INTEGER, uses INTEGER, failures INTEGER, reason TEXT
        ) STRICT;
        CREATE TABLE IF NOT EXISTS event (
            id INTEGER PRIMARY KEY, time REAL NOT NULL, kind TEXT NOT NULL, node INTEGER, batch INTEGER,
            round INTEGER, text TEXT NOT NULL
        ) STRICT;
        """
}
