import ArgumentParser
import ClusterRuntime
import ZeroMQ

/// How a person reaches a coordinator.
struct OperatorArguments: ParsableArguments {
    @Option(help: "The coordinator's endpoint.")
    var coordinator = ControlEndpoint.standard

    @Option(help: "The coordinator's public key, or the file that holds it.")
    var serverKey: String?

    @Option(help: "The secret key file of an operator whom the coordinator lists.")
    var keys: String?

    @Option(help: "Seconds to wait for an answer.")
    var patience = 10.0

    @Flag(help: "No encryption, no keys; within this machine only.")
    var insecure = false

    func validate() throws {
        guard insecure || (keys != nil && serverKey != nil) else {
            throw ValidationError("--keys and --server-key are missing: expected both, or --insecure")
        }
        guard patience > 0, patience <= 86_400 else {
            throw ValidationError("--patience is \(patience): expected seconds, above 0 and at most a day")
        }
    }

    func client() throws -> OperatorClient {
        var options = OperatorOptions(
            coordinatorEndpoint: coordinator.text,
            coordinatorKey: insecure ? nil : try serverKey.map(KeyFile.readPublic),
            keys: try keys.map(KeyFile.readPair) ?? .generate()
        )
        options.patience = .seconds(patience)
        return try OperatorClient(options)
    }
}
