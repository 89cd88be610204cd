import ArgumentParser
import Checkpoints
import ClusterRuntime
import Foundation

/// `flowsteer checkpoint`.
struct CheckpointCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Lists, verifies, fetches and exports checkpoints, and has one made now.",
        discussion: """
            Every committed round is a checkpoint. 'flowsteer checkpoint --now' has the open round end early: its \
            trainers offer after the step they have in hand, what they trained so far is averaged and committed, and \
            the round counts as one of training.rounds. It returns when the round is on the disk.

            Examples:
              flowsteer checkpoint --now --run runs/first
              flowsteer checkpoint verify runs/first
            """,
        subcommands: [
            CheckpointListCommand.self, CheckpointVerifyCommand.self, CheckpointFetchCommand.self,
            CheckpointExportCommand.self, CheckpointNowCommand.self,
        ],
        defaultSubcommand: CheckpointNowCommand.self
    )
}

/// `flowsteer checkpoint --now`.
struct CheckpointNowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "now",
        abstract: "Commits what the trainers of the open round have done so far.",
        shouldDisplay: false
    )

    @Flag(help: "Ends the open round early and waits until it is committed.")
    var now = false

    @Option(help: "Seconds that may take.")
    var within = 600.0

    @OptionGroup var operation: OperatorArguments

    func validate() throws {
        guard within > 0, within <= 86_400 else {
            throw ValidationError("--within is \(within): expected seconds, above 0 and at most a day")
        }
    }

    func run() async throws {
        guard now else { throw CleanExit.helpRequest(CheckpointCommand.self) }
        let status = try await OperatorClient.with(operation) { client in
            try await client.checkpointNow(within: .seconds(within))
        }
        say("round \(status.round) is committed")
    }
}

/// `flowsteer checkpoint list`.
struct CheckpointListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the checkpoints of a run, oldest first."
    )

    @Argument(help: "The run's folder, or a folder of checkpoints.")
    var folder: String

    func run() throws {
        let store = try CheckpointStore(reading: checkpointFolder(folder))
        for round in try store.rounds() {
            do {
                say(line(try store.checkpoint(ofRound: round)))
            } catch {
                say("round \(round)  unreadable: \(error)")
            }
        }
    }
}

/// `flowsteer checkpoint verify`.
struct CheckpointVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Reads checkpoints again and compares every byte with their manifests."
    )

    @Argument(help: "The run's folder, or a folder of checkpoints.")
    var folder: String

    @Option(help: "Only this round; default: all of them.")
    var round: UInt64?

    func run() throws {
        let store = try CheckpointStore(reading: checkpointFolder(folder))
        let rounds = try round.map { [$0] } ?? store.rounds()
        guard !rounds.isEmpty else {
            throw CheckpointError.unreadable(path: store.folder, reason: "there is no checkpoint in it")
        }
        var failure: CheckpointError?
        for round in rounds {
            do {
                say(line(try store.verify(round: round)) + "  verified")
            } catch {
                say("round \(round)  \(error)")
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }
}

/// `flowsteer checkpoint fetch`.
struct CheckpointFetchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch",
        abstract: "Fetches a checkpoint from a coordinator; a fetch that was interrupted is gone on with."
    )

    @OptionGroup var operation: OperatorArguments

    @Option(help: "The round; default: the newest.")
    var round: UInt64?

    @Option(help: "The folder of checkpoints it goes to.")
    var into: String

    func run() async throws {
        let checkpoint = try await OperatorClient.with(operation) { client in
            let (steps, continuation) = AsyncStream.makeStream(
                of: CheckpointProgress.self,
                bufferingPolicy: .bufferingNewest(1)
            )
            async let result = client.fetch(round: round, into: into, progress: continuation)
            var told = ContinuousClock.now
            for await step in steps where told.duration(to: .now) >= .seconds(1) {
                told = .now
                say("\(step)")
            }
            return try await result
        }
        say(line(checkpoint) + "  in \(checkpoint.folder)")
    }
}

/// The folder of checkpoints itself, or the one in a run's folder.
private func checkpointFolder(_ path: String) -> String {
    let inside = LocalRunFolder(path).checkpoints
    return FileManager.default.fileExists(atPath: inside) ? inside : path
}

private func line(_ checkpoint: StoredCheckpoint) -> String {
    let manifest = checkpoint.manifest
    return "round \(checkpoint.round)  \(checkpoint.manifestHash.hex.prefix(16))  "
        + "\(manifest.files.count) files, \(manifest.byteCount) bytes"
}
