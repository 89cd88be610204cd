import ArgumentParser

/// `flowsteer evaluate`.
struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measures a student, draws the pictures of a benchmark, or checks the scene score.",
        discussion: examples(
            "flowsteer evaluate --model models/sd3 --student runs/first/checkpoints/round-000006",
            "flowsteer evaluate --layout geneval --out geneval --model models/sd3 --share 1/4"
        ),
        subcommands: [EvaluateModelCommand.self, EvaluateScenesCommand.self],
        defaultSubcommand: EvaluateModelCommand.self
    )
}
