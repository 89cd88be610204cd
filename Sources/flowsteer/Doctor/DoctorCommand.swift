import ArgumentParser
import Benchmarks
import Checkpoints
import ClusterRuntime
import DiffusionModels
import Distillation
import Foundation
import Tensors

/// `flowsteer doctor`.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract:
            "Looks whether this machine is fit for a run; with --model, tells what a run will need, by role.",
        discussion: """
            Without --model, a line tells of each thing that a run depends on whether it is ok, a warning or a \
            problem, what was found and expected, and what to do next. The exit code is 78 after a problem of this \
            machine, 69 where only other machines do not answer.

            With --model, memory, disk, wire and time are told. Nothing of the model but its settings and the headers \
            of its weights is read. Activations and times are measured on networks of the run's own size or, where \
            that is large, of smaller widths, times of fewer blocks as well: doctor should have the machine to itself. \
            The formulas stand in Sources/ClusterRuntime/Doctor/RunEstimate.swift.

            \(examples(
                "flowsteer doctor --run runs/first --keys keys --bind tcp://10.0.0.1:7700",
                "flowsteer doctor --model models/sd3 --config Cluster/sd3-medium.yaml --trainers 2"
            ))
            """
    )

    @Option(help: "The teacher, a folder as diffusers writes it.")
    var model: String?

    @Option(name: .customLong("run"), help: "The run's folder, whose disk is looked at.")
    var folder = "."

    @Option(help: "A folder of secret key files to look at.")
    var keys: String?

    @Option(help: ArgumentHelp("Where a coordinator would listen.", valueName: "tcp://host:port"))
    var bind = ControlEndpoint.standard

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("An address that should answer; can be repeated.", valueName: "tcp://host:port")
    )
    var connect: [ControlEndpoint] = []

    @Option(name: .customLong("config"), help: "The run's configuration; default: the method's own settings.")
    var configurationPath: String?

    @Option(
        name: .customLong("set"),
        parsing: .singleValue,
        help: ArgumentHelp("Overrides a key of --config.", valueName: "group.key=value")
    )
    var overrides: [String] = []

    @Option(help: "Height of the pictures in pixels; default: what the model was trained on, as in a run.")
    var height: Int?

    @Option(help: "Their width in pixels; default: what the model was trained on.")
    var width: Int?

    @Option(help: "Rollout workers.")
    var rollouts = 1

    @Option(help: "Trainer workers.")
    var trainers = 1

    @Option(help: "Lanes of each worker; default: one a core.")
    var lanes = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
        guard model != nil || (configurationPath == nil && overrides.isEmpty) else {
            throw ValidationError("--model is missing: expected it with --config")
        }
        for (option, value) in [("--rollouts", rollouts), ("--trainers", trainers), ("--lanes", lanes)]
        where !(1...100_000).contains(value) {
            throw ValidationError("\(option) is \(value): expected 1 to 100000")
        }
    }

    func run() async throws {
        let request = self
        let thread = ComputeThread(name: "doctor")
        if let model {
            return say(try await thread.run { try request.estimate(model).text })
        }
        let checkup = try await thread.run { request.checkup }
        say(checkup.text)
        guard checkup.exit == .done else { throw ExitCode(checkup.exit.rawValue) }
    }

    private var checkup: Checkup {
        Checkup(
            run: folder,
            keys: keys,
            bind: (bind.host, bind.port),
            connect: connect.map { ($0.host, $0.port) }
        )
    }

    private func estimate(_ model: String) throws -> RunEstimate {
        let configuration = try runConfiguration(model)
        let outline = try ModelOutline(path: configuration.modelPath)
        let pixels = try outline.pixelsPerLatent()
        let side = outline.configuration.sampleSize * pixels
        let extent = try outline.latentExtent(
            height: height ?? side,
            width: width ?? side,
            pixelsPerLatent: pixels
        )
        let weights = try SafetensorsFolder(path: "\(outline.path)/transformer")
        var (shapes, storesFloats) = ([String: [Int]](), true)
        for name in weights.names {
            let tensor = try weights.stored(named: name)
            shapes[name] = tensor.shape
            storesFloats = storesFloats && tensor.type == .float32
        }
        let text = try outline.textPipeline()
        let latents = outline.latentShape(extent).reduce(1, *)
        var cluster = RunEstimate.Cluster()
        (cluster.rollouts, cluster.trainers, cluster.lanes) = (rollouts, trainers, lanes)
        return RunEstimate(
            configuration,
            sizes: NetworkSizes(
                teacher: shapes,
                outline.configuration,
                network: configuration.network
            ),
            storesFloats: storesFloats,
            latentCount: latents,
            textCount: text.tokenCount * outline.configuration.jointAttentionWidth
                + outline.configuration.pooledProjectionWidth,
            textMemory: text.memory(ofPrompts: configuration.batchSamples),
            cluster: cluster,
            measures: try RunMeasures(
                BenchmarkShape(outline.configuration, extent: extent, textTokens: text.tokenCount, batch: 1),
                configuration,
                lanes: lanes
            ).measured()
        )
    }

    private func runConfiguration(_ model: String) throws -> RunConfiguration {
        guard let configurationPath else {
            guard overrides.isEmpty else { throw ValidationError("--set is for --config: expected both") }
            return RunConfiguration(modelPath: model)
        }
        var options = ConfigurationOptions()
        options.path = configurationPath
        options.overrides = overrides
        // An estimate reads no prompts: where they will lie need not be settled yet.
        return try options.read(adding: ["model=\(model)", "prompts.path=not-read"])
    }
}
