import ArgumentParser
import ClusterRuntime
import ZeroMQ

/// `flowsteer keygen`.
struct KeygenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Makes a key pair for a node: PREFIX.key, which stays secret, and PREFIX.pub.",
        discussion: examples(
            "flowsteer keygen --out keys/rollout-1"
        )
    )

    @Option(help: ArgumentHelp("Where the two files go.", valueName: "prefix"))
    var out: String

    func run() throws {
        let keys = try KeyFile.generate(prefix: out)
        say("\(out).key  secret, readable by you alone")
        say("\(out).pub  \(keys.publicKey.text)")
    }
}
