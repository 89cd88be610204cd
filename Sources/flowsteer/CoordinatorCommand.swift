import ArgumentParser
import ClusterRuntime
import ClusterWeb
import Tensors
import ZeroMQ

/// `flowsteer coordinator`.
struct CoordinatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coordinator",
        abstract:
            "Leads a run: hands out prompts, averages what trainers offer, keeps ledger and checkpoints.",
        discussion: examples(
            "flowsteer coordinator --config run.yaml --run runs/first --bind tcp://10.0.0.1:7700 \\",
            "    --keys keys/coordinator.key --authorized authorized_nodes --http 127.0.0.1:9700"
        )
    )

    @OptionGroup var configured: ConfigurationOptions
    @OptionGroup var web: WebArguments
    @OptionGroup var parent: ParentOptions

    @Option(name: .customLong("run"), help: "The run's folder; an unfinished run in it is gone on with.")
    var folder: String

    @Option(
        help: ArgumentHelp(
            "Where nodes connect; port 0 lets the system choose.",
            valueName: "tcp://host:port"
        )
    )
    var bind = ControlEndpoint.standard

    @Option(help: "The coordinator's secret key file.")
    var keys: String?

    @Option(help: "The nodes let in: a file with one 'name role public-key' a line.")
    var authorized: String?

    @Option(help: "The host by which nodes reach this machine; default: the bound one.")
    var advertise: String?

    @Flag(
        help: """
            Take the three ports after the control port for averaging, checkpoints and announcements, so that a \
            firewall can let them through; default: ports the system chooses.
            """
    )
    var consecutivePorts = false

    @Flag(help: "No encryption, no keys; within this machine only.")
    var insecure = false

    func validate() throws {
        guard insecure || (keys != nil && authorized != nil) else {
            throw ValidationError("--keys and --authorized are missing: expected both, or --insecure")
        }
        guard !consecutivePorts || (1...65_532).contains(bind.port) else {
            throw ValidationError("--bind has port \(bind.port): --consecutive-ports expects 1 to 65532")
        }
    }

    func run() async throws {
        parent.watch()
        LargeBlocks.returnWhenFreed()  // it holds states of rounds, and computes little
        var options = CoordinatorOptions(
            configuration: try configured.read(),
            runFolder: LocalRunFolder(folder).path,
            keys: try keys.map(KeyFile.readPair) ?? .generate(),
            authorizedNodesPath: authorized ?? ""
        )
        options.bindHost = bind.host
        options.ports.control = bind.port
        if consecutivePorts {
            options.ports.averaging = bind.port + 1
            options.ports.checkpoints = bind.port + 2
            options.ports.announcements = bind.port + 3
        }
        options.advertisedHost = advertise ?? bind.host
        options.isInsecure = insecure
        let folder = LocalRunFolder(options.runFolder)
        try await runCoordinator(
            options,
            web: try web.http.map { address in
                try LocalRunFolder.create(folder.path)
                return try web.options(at: address, in: folder)
            },
            say: { say($0) }
        )
    }
}
