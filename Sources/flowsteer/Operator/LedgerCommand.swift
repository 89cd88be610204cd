import ArgumentParser
import ClusterRuntime

/// `flowsteer ledger`.
struct LedgerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger",
        abstract: "Looks after the ledger of a run.",
        subcommands: [LedgerCheckCommand.self]
    )
}

/// `flowsteer ledger check`.
struct LedgerCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract:
            "Compares a run's ledger with its log: each batch once, fences, epochs and samples in order.",
        discussion:
            "The run must be finished or stopped. Every contradiction is one line; then the exit code is 65."
    )

    @Argument(help: "The run's folder.")
    var folder: String

    func run() throws {
        let run = LocalRunFolder(folder)
        let audit = try RunAudit(run)
        for violation in audit.violations { say("\(violation)") }
        say(
            "\(audit.summary): \(audit.violations.isEmpty ? "in order" : "\(audit.violations.count) contradictions")"
        )
        guard audit.violations.isEmpty else {
            throw CoordinatorError.contradictions(folder: run.path, count: audit.violations.count)
        }
    }
}
