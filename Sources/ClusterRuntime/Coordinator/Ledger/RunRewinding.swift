import Checkpoints
package import ClusterMessages
import Foundation

/// Takes a stopped run back to a committed round: its ledger in one transaction, then its log.
package struct RunRewinding: Sendable {
    private let folder: LocalRunFolder

    /// Of the run in a folder.
    package init(_ folder: LocalRunFolder) { self.folder = folder }

    /// Makes `round` the run's last one; the next coordinator goes on from it, and sweeps later checkpoints away.
    ///
    /// - Returns: one line for a person.
    /// - Throws: ``CoordinatorError``: no ledger, a coordinator at work, or `noRewinding`, which changes nothing.
    package func rewind(to round: RoundNumber) throws -> String {
        guard FileManager.default.fileExists(atPath: "\(folder.path)/ledger.sqlite") else {
            throw CoordinatorError.noLedger(path: "\(folder.path)/ledger.sqlite")
        }
        let ledger = try Ledger(folder: folder.path)
        let store = try CheckpointStore(reading: folder.checkpoints)
        // A process killed between ledger and log left the log without a line.
        try complete(ledger)
        let count = try ledger.rewind(to: round, checkpoints: store, at: Date().timeIntervalSince1970)
        try complete(ledger)
        try ledger.close()
        return "\(folder.path): round \(round) is the last, \(count) after it are taken back"
    }

    /// Writes the log's lines of rewindings that only the ledger has.
    private func complete(_ ledger: Ledger) throws {
        let written = folder.readJournal().count { $0.kind == JournalLine.rewound }
        let missing = try ledger.rewindings().dropFirst(written)
        guard !missing.isEmpty else { return }
        var journal = try Journal(path: folder.events)
        for rewinding in missing { try journal.append(JournalLine(rewinding)) }
    }
}
