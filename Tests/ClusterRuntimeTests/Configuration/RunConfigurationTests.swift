import Coordination
import DiffusionModels
import Distillation
import FlowMatching
import Foundation
import NeuralNetwork
import TestSupport
import Testing

@testable import ClusterRuntime

struct RunConfigurationTests {
    private let folder = TemporaryRun()

    private func read(_ yaml: String) throws(ConfigurationError) -> RunConfiguration {
        try RunConfiguration(yaml: yaml, path: "/presets/run.yaml")
    }

    @Test func `a configuration of nothing but a model has the method's defaults`() throws {
        let configuration = try read("model: teacher")
        #expect(configuration.modelPath == "/presets/teacher")
        #expect(configuration.spritesPath == "/presets/sprites.json")
        #expect(configuration == RunConfiguration(modelPath: "/presets/teacher"))
        #expect(configuration.trajectory == TrajectorySettings())
        #expect(configuration.cluster.usesPerBatch == configuration.maxUses)
    }

    @Test func `every key is explained, in the emoji preset or with the method it belongs to`() throws {
        let folder = Repository.root
        let preset = try String(contentsOfFile: folder + "Cluster/emoji.yaml", encoding: .utf8)
        let methods = try String(
            contentsOfFile: folder + "Sources/Distillation/Distillation.docc/Methods.md",
            encoding: .utf8
        )
        var path: [Substring] = []
        var explained: Set<String> = []
        for line in preset.split(separator: "\n") {
            // Keys that are commented out are indented like the others.
            guard let (_, indent, name) = line.firstMatch(of: /^( *)(?:# )?([a-z_0-9]+):/)?.output else {
                continue
            }
            path = path.prefix(indent.count / 2) + [name]
            explained.insert(path.joined(separator: "."))
        }
        #expect(ConfigurationKeys.all.filter { !explained.contains($0) && !methods.contains("`\($0)") } == [])
    }

    @Test func `the canonical form reads back equal, whatever was changed`() throws {
        let configuration = try read(
            """
            model: ../models/"quoted" # a comment
            prompts: {kind: file, path: ./lines.txt}
            seed: 18446744073709551615
            trajectory:
              segments: 2
              guidance: [2.5, 3.25]
              schedule: stock
              reuse: segment
              max_uses: 7
              negative_prompt: "a \\"b\\" \\n #c"
              online_alignment: false
            student: {mode: lora, rank: 3, targets: [attn.to_q, ff.net.2]}
            training:
              local_steps: 11
              rounds: 13
              segment_probabilities: [0.25, 0.75]
              learning_rate: 5.0e-4
              betas: [0.8, 0.95]
              warmup_steps: 9
              paged_optimizer_state: true
              discriminator_optimizer: adamw8bit
              discriminator_learning_rate: 1e-5
              discriminator_betas: [0, 0.99]
            cluster:
              dead: 12.5
              lease: 0.25
              trainers_at_start: 2
              hedging: false
              audit_share: 0.125
              outlier_factor: 4.5
              averaging: {student: nesterov, discriminator_period: 3, moments_period: 0, exchange: int8, topology: ring}
            evaluation: {prompts: 6, path: held-out.txt, guidance: 4}
            """
        )
        #expect(configuration.modelPath == "/models/\"quoted\"")
        #expect(configuration.prompts.path == "/presets/lines.txt")
        #expect(configuration.evaluation.path == "/presets/held-out.txt")
        #expect(configuration.trajectory.guidance == 2.5...3.25)
        #expect(configuration.trajectory.negativePrompt == "a \"b\" \n #c")
        #expect(configuration.training.optimizer.beta1 == 0.8)
        #expect(configuration.training.discriminatorOptimizer.beta1 == 0)
        #expect(configuration.training.pagesOptimizerState)
        #expect(configuration.training.optimizer.storage == .floats)
        #expect(configuration.training.discriminatorOptimizer.storage == .bytes)
        #expect(configuration.cluster.leaseFloor == .milliseconds(250))
        #expect(configuration.averaging.student == .nesterov)
        #expect(configuration.averaging.discriminatorPeriod == 3)
        #expect(configuration.averaging.momentsPeriod == 0)
        #expect(configuration.averaging.exchange == .int8)
        #expect(configuration.cluster.topology == .ring)
        #expect(!configuration.cluster.hedging)
        #expect(configuration.cluster.auditShare == 0.125)
        #expect(configuration.cluster.outlierFactor == 4.5)
        let again = try RunConfiguration(yaml: configuration.yaml, path: "/elsewhere/config.yaml")
        #expect(again == configuration)
        #expect(again.yaml == configuration.yaml)
    }

    @Test(arguments: [
        (steps: 16, batch: 8, mixed: 1, batches: 1), (steps: 17, batch: 8, mixed: 1, batches: 2),
        (steps: 100, batch: 32, mixed: 4, batches: 25), (steps: 1, batch: 8, mixed: 4, batches: 4),
    ])
    func `a round draws from as many batches as its steps use up, or mix`(
        _ example: (steps: Int, batch: Int, mixed: Int, batches: Int)
    ) {
        var configuration = RunConfiguration(modelPath: "/teacher")
        configuration.batchSamples = 32
        configuration.maxUses = 4
        configuration.cluster.localSteps = example.steps
        configuration.training.batchSize = example.batch
        configuration.mixedBatches = example.mixed
        #expect(configuration.batchesPerRound == example.batches)
    }

    @Test(arguments: ["emoji"])
    func `a preset of the repository is read`(name: String) throws {
        let configuration = try RunConfiguration(file: "\(Repository.root)Cluster/\(name).yaml")
        #expect(configuration.modelPath == Repository.teacher)
    }

    @Test(arguments: ["sd3-medium", "sd35-large"])
    func `a preset without a model is read once it has one`(name: String) throws {
        let path = "\(Repository.root)Cluster/\(name).yaml"
        #expect(throws: ConfigurationError.missingKey("model", path: path, expected: "the teacher's folder"))
        {
            try RunConfiguration(file: path)
        }
        let configuration = try RunConfiguration(
            file: path,
            overrides: [.init(key: "model", value: "/sd3"), .init(key: "prompts.path", value: "/lines.txt")]
        )
        #expect(configuration.modelPath == "/sd3")
        #expect(configuration.prompts.path == "/lines.txt")
        // FlowSteer's own settings (arXiv 2511.18834).
        #expect(configuration.trajectory.segments == 4)
        #expect(configuration.trajectory.segments * configuration.trajectory.stepsPerSegment == 32)
        #expect(configuration.trajectory.schedule == .rectified)
        #expect(configuration.trajectory.guidance == 7...13)
        #expect(configuration.trajectory.onlineAlignment)
        #expect(configuration.training.segmentProbabilities == [0.4, 0.2, 0.2, 0.2])
        #expect(configuration.network.rank == 64)
        #expect(configuration.network.discriminator.depth == 12)
    }

    @Test func `prompts of a column, and where encodings are kept, read back equal`() throws {
        let configuration = try read(
            """
            model: teacher
            prompts: {kind: csv, path: a.csv, column: "the \\"prompt\\"", cache: kept, cache_gib: 3}
            """
        )
        #expect(configuration.prompts.kind == .csv)
        #expect(configuration.prompts.column == "the \"prompt\"")
        #expect(configuration.prompts.cachePath == "/presets/kept")
        #expect(configuration.prompts.cacheSize == 3)
        #expect(try RunConfiguration(yaml: configuration.yaml, path: "/elsewhere/a.yaml") == configuration)
        // Runs that began before these keys were there keep their identity.
        #expect(!RunConfiguration(modelPath: "/m").yaml.contains("column"))
        #expect(!RunConfiguration(modelPath: "/m").yaml.contains("cache"))
    }

    @Test func `a file's value gives way to the environment's, and that to a flag's`() throws {
        let path = try folder.file(
            "run.yaml",
            "model: teacher\nseed: 1\ntraining: {rounds: 2, batch_size: 3}\n"
        )
        let configuration = try RunConfiguration(
            file: path,
            overrides: [.init(key: "training.rounds", value: "9")],
            environment: [
                "FLOWSTEER_SEED": "5", "FLOWSTEER_TRAINING_ROUNDS": "7",
                "FLOWSTEER_TRAINING_SEGMENT_PROBABILITIES": "[1, 0, 0, 0]", "HOME": "/",
            ]
        )
        #expect(configuration.seed == 5)
        #expect(configuration.cluster.rounds == 9)
        #expect(configuration.training.batchSize == 3)
        #expect(configuration.training.segmentProbabilities == [1, 0, 0, 0])
    }

    @Test func `a flag's path starts at the working folder, a file's at the file's`() throws {
        let path = try folder.file("run.yaml", "model: teacher\n")
        #expect(try RunConfiguration(file: path).modelPath == "\(folder.path)/teacher")
        let overridden = try RunConfiguration(file: path, overrides: [.init(key: "model", value: "teacher")])
        #expect(overridden.modelPath == FileManager.default.currentDirectoryPath + "/teacher")
    }

    @Test func `an override is a key, an equals sign and a value`() {
        #expect(ConfigurationOverride("a.b=c=d") == ConfigurationOverride(key: "a.b", value: "c=d"))
        #expect(ConfigurationOverride("a.b") == nil)
        #expect(ConfigurationOverride("=c") == nil)
    }
}
