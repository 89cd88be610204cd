/// The check of a finished or stopped run: what its ledger and its log say, and where they contradict.
package struct RunAudit: Sendable {
    package let violations: [LedgerViolation]
    /// What was compared, for a person.
    package let summary: String

    /// Reads the ledger, the log and the configuration in a run's folder; no coordinator may be at work there.
    package init(_ folder: LocalRunFolder) throws {
        let rows = try LedgerRows(readingFolder: folder.path)
        let journal = folder.readJournal()
        let configuration = try RunConfiguration(file: folder.configuration, overrides: [], environment: [:])
        let audit = LedgerAudit(rows, journal: journal, useLimit: configuration.maxUses)
        violations = audit.violations
        summary =
            "\(rows.rounds.count) rounds, \(rows.committed.count) committed and \(rows.dead.count) dead batches, "
            + "\(rows.incarnations.count) processes of the coordinator, \(journal.count) events"
    }
}
