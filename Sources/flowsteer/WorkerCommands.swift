import ArgumentParser
import ClusterMessages
import ClusterRuntime
import Foundation
import Glibc
import Tensors
import ZeroMQ

/// What both kinds of worker are told.
struct WorkerArguments: ParsableArguments {
    @Option(help: ArgumentHelp("The coordinator's endpoint.", valueName: "tcp://host:port"))
    var coordinator: ControlEndpoint

    @Option(help: "The coordinator's public key, or the file that holds it.")
    var serverKey: String?

    @Option(help: "This node's secret key file.")
    var keys: String?

    @Option(help: "What people call this node; default: host and process.")
    var name: String?

    @Option(name: .customLong("run"), help: "Where the node keeps files of its own; default: runs/NAME.")
    var folder: String?

    @Option(
        help:
            "The teacher's folder on this machine; a trainer's default is what the run's configuration says."
    )
    var model: String?

    @Option(
        help: """
            Where prompts' encodings are kept on this machine, so that text encoders are needed once a prompt; \
            default: the run's configuration says.
            """
    )
    var promptCache: String?

    @Option(help: "The host by which others reach this node.")
    var advertise = "127.0.0.1"

    @Option(help: "Threads that compute; default: one a core.")
    var lanes = ProcessInfo.processInfo.activeProcessorCount

    @Option(help: "Seconds to look for a silent coordinator before giving up.")
    var patience = 600.0

    @Option(
        help:
            "Seconds that SIGTERM leaves it to finish what it has begun; SIGINT, or a second one, leaves none."
    )
    var drainLimit = 600.0

    @Flag(inversion: .prefixedNo, help: "Fetch every checkpoint that is announced into the node's folder.")
    var fetchCheckpoints = true

    @Flag(help: "No encryption, no keys; within this machine only.")
    var insecure = false

    @OptionGroup var parent: ParentOptions

    func validate() throws {
        guard insecure || (keys != nil && serverKey != nil) else {
            throw ValidationError("--keys and --server-key are missing: expected both, or --insecure")
        }
        guard lanes >= 1 else { throw ValidationError("--lanes is \(lanes): expected 1 or more") }
        guard patience > 0 else {
            throw ValidationError("--patience is \(patience): expected seconds, above 0")
        }
        guard drainLimit >= 0 else {
            throw ValidationError("--drain-limit is \(drainLimit): expected seconds, 0 or more")
        }
    }

    func options(_ role: Role) throws -> WorkerOptions {
        let name = name ?? "\(role)-\(ProcessInfo.processInfo.hostName)-\(getpid())"
        var options = WorkerOptions(
            role: role,
            name: name,
            coordinatorEndpoint: coordinator.text,
            coordinatorKey: insecure ? nil : try serverKey.map(KeyFile.readPublic),
            keys: try keys.map(KeyFile.readPair) ?? .generate(),
            modelPath: model,
            runFolder: folder ?? "runs/\(name)",
            advertiseHost: advertise,
            lanes: lanes,
            patience: .seconds(patience),
            isInsecure: insecure,
            fetchesCheckpoints: fetchCheckpoints
        )
        options.drainLimit = .seconds(drainLimit)
        options.encodingsPath = promptCache
        return options
    }
}

/// `flowsteer rollout-worker`.
struct RolloutWorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollout-worker",
        abstract: "Solves the teacher's trajectories and serves them to the trainers.",
        discussion: examples(
            "flowsteer rollout-worker --coordinator tcp://10.0.0.1:7700 --server-key coordinator.pub \\",
            "    --keys keys/rollout-1.key --name rollout-1 --advertise 10.0.0.2 --model models/sd3"
        )
    )

    @OptionGroup var worker: WorkerArguments

    @Option(
        help: ArgumentHelp(
            """
            Where trajectories are served, with a port that a firewall lets through; default: a port the system \
            chooses, on all addresses, or on this machine alone if that is advertised.
            """,
            valueName: "tcp://host:port"
        )
    )
    var bind: ControlEndpoint?

    func validate() throws {
        guard worker.model != nil else {
            throw ValidationError(
                "--model is missing: a rollout worker is let in by its teacher, so it expects the folder"
            )
        }
    }

    func run() async throws {
        worker.parent.watch()
        LargeBlocks.returnWhenFreed(mebibytes: 4)  // weights as they come, before they are laid out
        var options = try worker.options(.rollout)
        options.servingHost = bind?.host
        options.servingPort = bind?.port ?? 0
        try await runRolloutWorker(options)
    }
}

/// `flowsteer trainer-worker`.
struct TrainerWorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trainer-worker",
        abstract: "Trains the student and the discriminator on trajectories.",
        discussion: examples(
            "flowsteer trainer-worker --coordinator tcp://10.0.0.1:7700 --server-key coordinator.pub \\",
            "    --keys keys/trainer-1.key --name trainer-1 --model models/sd3"
        )
    )

    @OptionGroup var worker: WorkerArguments

    @Option(
        help: ArgumentHelp(
            """
            Where other trainers get what a ring needs (cluster.averaging.topology: ring), with a port that a firewall \
            lets through; default: a port the system chooses, on all addresses, or on this machine alone if that is \
            advertised.
            """,
            valueName: "tcp://host:port"
        )
    )
    var bind: ControlEndpoint?

    func run() async throws {
        worker.parent.watch()
        LargeBlocks.returnWhenFreed(mebibytes: 4)  // offers and states of rounds
        var options = try worker.options(.trainer)
        options.servingHost = bind?.host
        options.servingPort = bind?.port ?? 0
        try await runTrainerWorker(options)
    }
}
