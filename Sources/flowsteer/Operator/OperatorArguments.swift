import ArgumentParser
import ClusterRuntime
import ZeroMQ

/// How a person reaches a coordinator.
struct OperatorArguments: ParsableArguments {
    @Option(
        name: .customLong("run"),
        help:
            "The run's folder on this machine, which says where its coordinator is; 'local' keeps a key in it."
    )
    var folder: String?

    @Option(
        help: ArgumentHelp(
            "The coordinator's endpoint; default: \(ControlEndpoint.standard.text), or what --run says.",
            valueName: "tcp://host:port"
        )
    )
    var coordinator: ControlEndpoint?

    @Option(help: "The coordinator's public key, or the file that holds it.")
    var serverKey: String?

    @Option(help: "The secret key file of an operator whom the coordinator lists.")
    var keys: String?

    @Option(help: "Seconds to wait for an answer.")
    var patience = 10.0

    @Flag(help: "No encryption, no keys; within this machine only.")
    var insecure = false

    func client() throws -> OperatorClient {
        guard patience > 0, patience <= 86_400 else {
            throw ValidationError("--patience is \(patience): expected seconds, above 0 and at most a day")
        }
        var options = try folder.map(options(of:)) ?? remoteOptions()
        options.patience = .seconds(patience)
        return try OperatorClient(options)
    }

    /// What the coordinator last wrote into the run's folder; nil where no folder is given, or nothing is in it.
    func lastStatus() throws -> RunStatus? { try folder.flatMap { try LocalRunFolder($0).readStatus() } }

    private func options(of folder: String) throws -> OperatorOptions {
        guard coordinator == nil, serverKey == nil, !insecure else {
            throw ValidationError("--run says where the coordinator is: expected no other word about it")
        }
        return try OperatorOptions(of: LocalRunFolder(folder), keys: try keys.map(KeyFile.readPair))
    }

    private func remoteOptions() throws -> OperatorOptions {
        guard insecure || (keys != nil && serverKey != nil) else {
            throw ValidationError(
                "--keys and --server-key are missing: expected both, or --run, or --insecure"
            )
        }
        return OperatorOptions(
            coordinatorEndpoint: (coordinator ?? .standard).text,
            coordinatorKey: insecure ? nil : try serverKey.map(KeyFile.readPublic),
            keys: try keys.map(KeyFile.readPair) ?? .generate()
        )
    }
}

extension OperatorClient {
    /// Lets a person talk with a coordinator, and ends that however it ends.
    static func with<Value>(
        _ arguments: OperatorArguments,
        _ body: (OperatorClient) async throws -> Value
    ) async throws -> Value {
        let client = try arguments.client()
        do {
            let value = try await body(client)
            await client.close()
            return value
        } catch {
            await client.close()
            throw error
        }
    }
}
