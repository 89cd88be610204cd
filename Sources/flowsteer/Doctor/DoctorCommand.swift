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
        abstract: "Tells how much memory, disk, wire and time a run of a model will need, by role.",
        discussion: """
            Nothing of the model but its settings and the headers of its weights is read. Activations are measured on \
            networks of the same kind with one to three heads and few blocks, times from how fast this machine multiplies; \
            the formulas stand in Sources/ClusterRuntime/Doctor/RunEstimate.swift.

            \(examples("flowsteer doctor --model models/sd3 --config Cluster/sd3-medium.yaml --trainers 2"))
            """
    )

    @Option(help: "The teacher, a folder as diffusers writes it.")
    var model: String

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
        for (option, value) in [("--rollouts", rollouts), ("--trainers", trainers), ("--lanes", lanes)]
        where !(1...100_000).contains(value) {
            throw ValidationError("\(option) is \(value): expected 1 to 100000")
        }
    }

    func run() async throws {
        let request = self
        let text = try await ComputeThread(name: "doctor").run { try request.estimate().text }
        say(text)
    }

    private func estimate() throws -> RunEstimate {
        let configuration = try runConfiguration()
        let outline = try ModelOutline(path: configuration.modelPath)
        let pixels = try outline.pixelsPerLatent()
        let side = outline.configuration.sampleSize * pixels
        let extent = try outline.latentExtent(
            height: height ?? side,
            width: width ?? side,
            pixelsPerLatent: pixels
        )
        let weights = try SafetensorsFolder(path: "\(outline.path)/transformer")
        var shapes: [String: [Int]] = [:]
        for name in weights.names { shapes[name] = try weights.shape(of: name) }
        let tokens = try outline.textTokens()
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
            storesFloats: try weights.names.allSatisfy { try weights.scalarType(of: $0) == .float32 },
            latentCount: latents,
            textCount: tokens * outline.configuration.jointAttentionWidth
                + outline.configuration.pooledProjectionWidth,
            cluster: cluster,
            measures: try RunMeasures(
                BenchmarkShape(outline.configuration, extent: extent, textTokens: tokens, batch: 1),
                configuration,
                lanes: lanes
            ).measured()
        )
    }

    private func runConfiguration() throws -> RunConfiguration {
        guard let configurationPath else {
            guard overrides.isEmpty else { throw ValidationError("--set is for --config: expected both") }
            return RunConfiguration(modelPath: model)
        }
        var options = ConfigurationOptions()
        options.path = configurationPath
        options.overrides = overrides
        return try options.read(adding: ["model=\(model)"])
    }
}
