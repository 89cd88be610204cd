import ArgumentParser
import ClusterMessages
import ClusterRuntime

/// `flowsteer ledger`.
struct LedgerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger",
        abstract: "Looks after the ledger of a run.",
        discussion: examples(
            "flowsteer ledger check runs/first",
            "flowsteer ledger rewind runs/first --to 4"
        ),
        subcommands: [LedgerCheckCommand.self, LedgerRewindCommand.self]
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

/// `flowsteer ledger rewind`.
struct LedgerRewindCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rewind",
        abstract: "Takes committed rounds back, when the checkpoint of the newest one is lost.",
        discussion: """
            For a run that is stopped, and whose newest checkpoint can be had from no worker. The checkpoint of the \
            round named must be whole. What was trained after it is lost: the coordinator, started again, has those \
            rounds done again. The ledger changes in one transaction, and events.jsonl says what was done.
            """
    )

    @Argument(help: "The run's folder.")
    var folder: String

    @Option(name: .customLong("to"), help: "The round to go back to; 0 is the beginning.")
    var round: UInt64

    func run() throws {
        say(try RunRewinding(LocalRunFolder(folder)).rewind(to: RoundNumber(round)))
    }
}
