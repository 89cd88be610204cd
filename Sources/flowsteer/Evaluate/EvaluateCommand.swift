import ArgumentParser

/// `flowsteer evaluate`.
struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measures a student, draws the pictures of a benchmark, or checks the scene score.",
        subcommands: [EvaluateModelCommand.self, EvaluateScenesCommand.self],
        defaultSubcommand: EvaluateModelCommand.self
    )
}
