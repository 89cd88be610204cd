import ArgumentParser
import ClusterMessages
import ClusterRuntime
import Foundation
import Glibc

/// `flowsteer status`.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Says how a run is doing, and what everything that does not progress waits for.",
        discussion: examples(
            "flowsteer status --run runs/first --watch 2",
            "flowsteer status --coordinator tcp://10.0.0.1:7700 --server-key coordinator.pub --keys keys/me.key"
        )
    )

    @OptionGroup var operation: OperatorArguments

    @Flag(help: "The whole status, as JSON.")
    var json = false

    @Option(help: ArgumentHelp("Again and again until the run is finished.", valueName: "seconds"))
    var watch: Double?

    func validate() throws {
        if let watch, !(0.1...86_400).contains(watch) {
            throw ValidationError("--watch is \(watch): expected seconds, 0.1 to a day")
        }
    }

    func run() async throws {
        if let last = try finished { return try show(last) }
        try await OperatorClient.with(operation) { client in
            var status = try await client.status()
            try show(status)
            while let watch, status.state != .finished {
                try await Task.sleep(for: .seconds(watch))
                if let last = try finished { status = last } else { status = try await client.status() }
                // A terminal shows the present one only.
                if !json, isatty(STDOUT_FILENO) == 1 { say("\u{1B}[H\u{1B}[2J\u{1B}[A") }
                try show(status)
            }
        }
    }

    /// A finished run has no coordinator any more; what it said last stands in its folder.
    private var finished: RunStatus? {
        get throws {
            let last = try operation.lastStatus()
            return last?.state == .finished ? last : nil
        }
    }

    private func show(_ status: RunStatus) throws {
        say(json ? String(decoding: try status.encoded(), as: UTF8.self) : status.text)
    }
}

/// `flowsteer pause`.
struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Hands out no more work and opens no round until 'flowsteer resume'.",
        discussion: examples(
            "flowsteer pause --run runs/first"
        )
    )

    @OptionGroup var operation: OperatorArguments

    func run() async throws { try await give(.pause, operation) }
}

/// `flowsteer resume`.
struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Goes on after 'flowsteer pause'.",
        discussion: examples(
            "flowsteer resume --run runs/first"
        )
    )

    @OptionGroup var operation: OperatorArguments

    func run() async throws { try await give(.resume, operation) }
}

/// `flowsteer drain`.
struct DrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Lets a node, or the whole run, finish what is begun and end.",
        discussion: examples(
            "flowsteer drain rollout-1 --run runs/first",
            "flowsteer drain --run runs/first"
        )
    )

    @Argument(help: "The node's number or name; none: commit the open round and finish the run.")
    var node: String?

    @OptionGroup var operation: OperatorArguments

    func run() async throws {
        guard let node else { return try await give(.drain, operation) }
        let status = try await OperatorClient.with(operation) { client in
            let nodes = try await client.status().nodes
            guard let found = nodes.first(where: { "\($0.id)" == node || $0.name == node }) else {
                let known = nodes.map { "\($0.id) \($0.name)" }.joined(separator: ", ")
                throw ValidationError("no node is \(node): the run knows \(known.isEmpty ? "none" : known)")
            }
            return try await client.command(.drain, node: found.id)
        }
        say(status.text)
    }
}

private func give(_ action: Message.Action, _ operation: OperatorArguments) async throws {
    let status = try await OperatorClient.with(operation) { try await $0.command(action) }
    say(status.text)
}
