import ArgumentParser
import ClusterMessages
import ClusterRuntime

/// `flowsteer status`.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Says how a run is doing, and what everything that does not progress waits for."
    )

    @OptionGroup var operation: OperatorArguments

    @Flag(help: "The whole status, as JSON.")
    var json = false

    func run() async throws {
        let client = try operation.client()
        let status = try await client.status()
        await client.close()
        say(json ? String(decoding: try status.encoded(), as: UTF8.self) : status.text)
    }
}

/// `flowsteer pause`.
struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Hands out no more work and opens no round until 'flowsteer resume'."
    )

    @OptionGroup var operation: OperatorArguments

    func run() async throws { try await give(.pause, operation) }
}

/// `flowsteer resume`.
struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Goes on after 'flowsteer pause'."
    )

    @OptionGroup var operation: OperatorArguments

    func run() async throws { try await give(.resume, operation) }
}

/// `flowsteer drain`.
struct DrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Lets a node, or the whole run, finish what is begun and end."
    )

    @Argument(help: "The node's number or name; none: commit the open round and finish the run.")
    var node: String?

    @OptionGroup var operation: OperatorArguments

    func run() async throws {
        guard let node else { return try await give(.drain, operation) }
        let client = try operation.client()
        let nodes = try await client.status().nodes
        guard let found = nodes.first(where: { "\($0.id)" == node || $0.name == node }) else {
            await client.close()
            let known = nodes.map { "\($0.id) \($0.name)" }.joined(separator: ", ")
            throw ValidationError("no node is \(node): the run knows \(known.isEmpty ? "none" : known)")
        }
        let status = try await client.command(.drain, node: found.id)
        await client.close()
        say(status.text)
    }
}

private func give(_ action: Message.Action, _ operation: OperatorArguments) async throws {
    let client = try operation.client()
    let status = try await client.command(action)
    await client.close()
    say(status.text)
}
