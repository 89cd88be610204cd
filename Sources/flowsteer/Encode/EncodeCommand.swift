import ArgumentParser

/// `flowsteer encode`.
struct EncodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encode",
        abstract: "Turns captioned pictures into a model's latents, or a run's prompts into encodings.",
        discussion: examples(
            "flowsteer encode photos --model models/sd3 --out latents",
            "flowsteer encode prompts --config Cluster/sd3-medium.yaml --cache encodings"
        ),
        subcommands: [EncodeLatentsCommand.self, EncodePromptsCommand.self],
        defaultSubcommand: EncodeLatentsCommand.self
    )
}
