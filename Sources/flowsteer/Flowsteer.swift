import ArgumentParser
import ClusterRuntime
import Foundation
import ZeroMQ

/// `flowsteer`: one verb a job.
@main
struct Flowsteer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flowsteer",
        abstract: "Distils a flow-matching text-to-image teacher into a few-step, guidance-free student.",
        discussion: examples(
            "flowsteer local --config Cluster/emoji.yaml --run runs/first --rollouts 2 --trainers 2",
            "flowsteer status --run runs/first --watch 2",
            "source <(flowsteer --generate-completion-script bash)"
        ),
        version: ProgramVersion.text,
        subcommands: [
            LocalCommand.self, CoordinatorCommand.self, RolloutWorkerCommand.self, TrainerWorkerCommand.self,
            StatusCommand.self, PauseCommand.self, ResumeCommand.self, DrainCommand.self,
            CheckpointCommand.self, LedgerCommand.self, KeygenCommand.self, SampleCommand.self,
            EncodeCommand.self, EvaluateCommand.self, StudyCommand.self, PretrainCommand.self,
            VerifyModelCommand.self, DoctorCommand.self, BenchmarkCommand.self,
        ]
    )

    /// Runs the verb; every failure is one line on standard error and an exit code of ``ProcessExit``.
    static func main() async {
        OpenFiles.raiseLimit()
        do {
            var command = try parseAsRoot()
            _ = try FaultPlan(environment: ProcessInfo.processInfo.environment)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            end(with: error)
        }
    }

    private static func end(with error: any Error) -> Never {
        if error is ExitCode { exit(withError: error) }  // all is said
        switch exitCode(for: error) {
        case .success: exit(withError: error)
        case .validationFailure:
            let line = oneLine(message(for: error))
            report("flowsteer: \(line): see \(help(for: error))\n", exit: .usage)
        default: report(ProcessExit.line(for: error), exit: ProcessExit(of: error))
        }
    }

    /// The command line whose help explains what is wrong.
    private static func help(for error: any Error) -> String {
        let root = "flowsteer --help"
        let said = fullMessage(for: error).firstMatch(of: /'(flowsteer[^']*--help)'/)?.output.1
        if let said, said != root { return String(said) }
        // What a verb finds out when it runs is not tied to it by the parser.
        var verbs: [String] = []
        var known = configuration.subcommands
        for word in CommandLine.arguments.dropFirst() {
            guard let verb = known.first(where: { $0.configuration.commandName == word }) else { break }
            verbs.append(word)
            known = verb.configuration.subcommands
        }
        return verbs.isEmpty ? root : "flowsteer \(verbs.joined(separator: " ")) --help"
    }

    /// The first line; a list that it announces follows it, as many values of an argument do.
    private static func oneLine(_ message: String) -> String {
        let lines = message.split(separator: "\n")
        guard let first = lines.first else { return "" }
        guard first.hasSuffix(":") else { return String(first.last == "." ? first.dropLast() : first) }
        let items = lines.dropFirst().map { $0.drop { " -".contains($0) } }
        return "\(first) \(items.joined(separator: ", "))"
    }

    private static func report(_ line: String, exit: ProcessExit) -> Never {
        FileHandle.standardError.write(Data(line.utf8))
        Foundation.exit(exit.rawValue)
    }
}

/// What a verb's help ends with: command lines as people type them.
func examples(_ lines: String...) -> String {
    (["Examples:"] + lines.map { "  " + $0 }).joined(separator: "\n")
}

/// Prints to standard output at once, whatever it is connected to.
func say(_ text: String) {
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
}
