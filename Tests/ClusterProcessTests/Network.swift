import Foundation
import Testing

/// A network of the kernel's own: a namespace for each machine, all on one bridge, seen by nobody else.
final class Network {
    /// Whether this machine lets a test make one.
    static let isPermitted: Bool = {
        guard let network = try? Network(["probe"]) else { return false }
        return (try? network.run("probe", "ss", "-V")) != nil
    }()
    /// Whether packets can be dropped at random.
    static let canLose = isPermitted && (try? Program.succeeds(["nft", "--version"])) ?? false

    private static let hub = "hub"
    private let prefix = "chaos-\(ProcessInfo.processInfo.processIdentifier)-\(Int.random(in: 0..<1_000_000))"
    private let names: [String]

    /// Makes namespaces with an interface `eth0` each, which reach each other.
    init(_ names: [String]) throws {
        self.names = names
        do {
            for name in [Self.hub] + names {
                try Self.command("ip", "netns", "add", namespace(name))
                try run(name, "ip", "link", "set", "lo", "up")
            }
            try run(Self.hub, "ip", "link", "add", "bridge", "type", "bridge")
            try run(Self.hub, "ip", "link", "set", "bridge", "up")
            for name in names {
                try Self.command(
                    "ip",
                    "link",
                    "add",
                    "eth0",
                    "netns",
                    namespace(name),
                    "type",
                    "veth",
                    "peer",
                    "name",
                    port(name),
                    "netns",
                    namespace(Self.hub)
                )
                try run(Self.hub, "ip", "link", "set", port(name), "master", "bridge", "up")
                try run(name, "ip", "address", "add", "\(address(name))/24", "dev", "eth0")
                try run(name, "ip", "link", "set", "eth0", "up")
            }
        } catch {
            remove()
            throw error
        }
    }

    deinit { remove() }

    private func remove() {
        for name in [Self.hub] + names { _ = try? Self.command("ip", "netns", "delete", namespace(name)) }
    }

    /// Where a machine is at first.
    func address(_ name: String) -> String { "10.77.0.\((names.firstIndex(of: name) ?? 0) + 1)" }

    /// A machine for a cluster's process.
    func machine(_ name: String, coordinator: String) -> Cluster.Machine {
        .init(
            launcher: ["ip", "netns", "exec", namespace(name)],
            address: address(name),
            advertised: address(name),
            coordinator: address(coordinator)
        )
    }

    /// Pulls a machine's cable, or puts it in again: what is sent is lost, and nobody is told.
    func setConnected(_ name: String, _ isConnected: Bool) throws {
        try run(Self.hub, "ip", "link", "set", port(name), isConnected ? "up" : "down")
    }

    /// Lets a machine send so many bits a second.
    func narrow(_ name: String, megabitsPerSecond: Int) throws {
        try run(
            name,
            "tc",
            "qdisc",
            "add",
            "dev",
            "eth0",
            "root",
            "tbf",
            "rate",
            "\(megabitsPerSecond)mbit",
            "burst",
            "32kb",
            "latency",
            "200ms"
        )
    }

    /// Lets it send as much as it can again.
    func widen(_ name: String) throws { try run(name, "tc", "qdisc", "delete", "dev", "eth0", "root") }

    /// Runs a command on a machine, and returns what it prints.
    @discardableResult
    func run(_ name: String, _ words: String...) throws -> String {
        try Self.command(["ip", "netns", "exec", namespace(name)] + words)
    }

    private func namespace(_ name: String) -> String { "\(prefix)-\(name)" }
    private func port(_ name: String) -> String { "port\(names.firstIndex(of: name) ?? 0)" }

    @discardableResult
    private static func command(_ words: String...) throws -> String { try command(words) }

    private struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static func command(_ words: [String]) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "\(words.joined(separator: " ")): \(text)")
        }
        return text
    }
}
