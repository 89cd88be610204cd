import ClusterMessages
import Coordination
import DiffusionModels
import Distillation
import Foundation
import NeuralNetwork
import Tensors
import Testing
import ZeroMQ

@testable import ClusterRuntime

/// A small run of the shipped teacher: its configuration, keys and folders.
///
/// Every round takes two steps, which use exactly one batch up.
struct SmallRun {
    let folder = FileManager.default.temporaryDirectory.appending(path: "cluster-\(UUID().uuidString)")
    let rounds: UInt64
    private let coordinatorKeys: CurveKeyPair
    private let workers: [String: (role: Role, keys: CurveKeyPair)]

    init(rounds: UInt64) throws {
        self.rounds = rounds
        coordinatorKeys = try .generate()
        workers = [
            "rollout": (.rollout, try .generate()), "spare": (.rollout, try .generate()),
            "trainer": (.trainer, try .generate()), "second": (.trainer, try .generate()),
            "third": (.trainer, try .generate()),
        ]
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let lines = workers.map { "\($0.key) \($0.value.role) \($0.value.keys.publicKey)" }
        try lines.joined(separator: "\n").write(to: authorizedNodes, atomically: true, encoding: .utf8)
    }

    private var authorizedNodes: URL { folder.appending(path: "authorized_nodes") }

    /// The repository's top, also where a package is built through a symbolic link.
    private static let root = (0..<4).reduce(URL(filePath: #filePath).resolvingSymlinksInPath()) { url, _ in
        url.deletingLastPathComponent()
    }

    var method = Method.flowsteer
    /// Rounds from one average of the discriminators to the next.
    var discriminatorPeriod = 1
    /// How offers are written.
    var exchange = AveragingSettings.Exchange.float32
    /// How offers come together, and the outer step.
    var topology = CoordinationSettings.Topology.star
    var rule = AveragingSettings.Rule.mean
    /// Trainers that begin together; more than one share the batches in order, whoever is quicker.
    var trainerCount = 1
    /// How optimizers keep moments, which trainers have paged.
    var moments = AdamW.Storage.floats
    /// What the student trains.
    var student = Student.Mode.lora
    /// Of the running mean; 0 keeps none.
    var averageDecay: Float = 0
    /// Silence after which a node is dead.
    var deadAfter = Duration.seconds(10)

    var configuration: RunConfiguration {
        let path = Self.root.appending(path: "Cluster/teacher/emoji-scenes").path
        var configuration = RunConfiguration(modelPath: path, method: method)
        configuration.seed = 11
        configuration.batchSamples = 4
        configuration.maxUses = 1
        configuration.trajectory.stepsPerSegment = 1
        configuration.network.student = student
        configuration.network.rank = 2
        configuration.network.discriminator.depth = 1
        configuration.training.batchSize = 2
        configuration.training.averageDecay = averageDecay
        configuration.averaging.keepsStudentAverage = averageDecay > 0
        configuration.training.pagesOptimizerState = true
        configuration.training.optimizer.storage = moments
        configuration.training.discriminatorOptimizer.storage = moments
        configuration.training.optimizer.learningRate = 1e-3
        configuration.training.discriminatorOptimizer.learningRate = 1e-3
        configuration.cluster.usesPerBatch = 1
        configuration.cluster.rounds = rounds
        configuration.cluster.localSteps = 2
        configuration.cluster.suspectAfter = deadAfter - .milliseconds(500)
        configuration.cluster.deadAfter = deadAfter
        configuration.cluster.reconciliation = .seconds(2)
        configuration.averaging.discriminatorPeriod = discriminatorPeriod
        configuration.averaging.momentsPeriod = 2
        configuration.averaging.exchange = exchange
        configuration.averaging.student = rule
        configuration.cluster.topology = topology
        configuration.cluster.trainersAtStart = trainerCount
        configuration.cluster.assignment = trainerCount > 1 ? .ordered : .ready
        configuration.cluster.batchesPerRound = configuration.batchesPerRound
        return configuration
    }

    /// A coordinator of the run, new or the next one.
    func coordinator(_ ports: CoordinatorOptions.Ports = .init()) async throws -> CoordinatorService {
        var options = CoordinatorOptions(
            configuration: configuration,
            runFolder: folder.appending(path: "run").path,
            keys: coordinatorKeys,
            authorizedNodesPath: authorizedNodes.path
        )
        options.ports = ports
        return try await CoordinatorService(options)
    }

    /// How `rollout`, `spare` (another rollout), `trainer`, `second` or `third` (others) is started; rollouts also fetch the checkpoints.
    func options(_ name: String, of service: CoordinatorService) throws -> WorkerOptions {
        let (role, keys) = try #require(workers[name])
        return WorkerOptions(
            role: role,
            name: name,
            coordinatorEndpoint: service.controlEndpoint,
            coordinatorKey: service.publicKey,
            keys: keys,
            modelPath: configuration.modelPath,
            runFolder: folder.appending(path: name).path,
            patience: .seconds(60),
            fetchesCheckpoints: role == .rollout
        )
    }

    /// What the coordinator wrote last.
    func status() throws -> RunStatus {
        let file = folder.appending(path: "run/status.json")
        return try JSONDecoder().decode(RunStatus.self, from: Data(contentsOf: file))
    }

    /// A file of a round's checkpoint, the coordinator's or the one that a worker fetched.
    func file(_ name: String, of round: UInt64, in place: String = "run") -> String {
        folder.appending(path: "\(place)/checkpoints/round-00000\(round)/\(name)").path
    }

    /// The numbers of the student that a round committed.
    func student(of round: UInt64) throws -> [Float] {
        let model = try ModelFolder(path: configuration.modelPath)
        let student = try Student(
            path: file("student.safetensors", of: round),
            of: model.weights,
            layerCount: model.configuration.layerCount
        )
        return student.parameters.values.values
    }

    /// The numbers of the student before the first round.
    func initialStudent() throws -> [Float] {
        let networks = try TrainableNetworks(
            teacher: ModelFolder(path: configuration.modelPath),
            network: configuration.network,
            seed: configuration.seed
        )
        return networks.student.parameters.values.values
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }
}

extension SmallRun {
    /// The student of the same rounds without a cluster.
    func singleProcess() throws -> [Float] {
        let configuration = configuration
        let model = try ModelFolder(path: configuration.modelPath)
        let networks = try TrainableNetworks(
            teacher: model,
            network: configuration.network,
            seed: configuration.seed
        )
        let lanes = LanePool(count: 1)
        var trainer = try DistillationTrainer(networks, settings: configuration.training, pool: lanes)
        var corpus = try PromptCorpus(configuration)
        let teacher = try model.makeTransformer()
        let alignment = OnlineTrajectoryAlignment(
            configuration.trajectory,
            segmentProbabilities: configuration.training.segmentProbabilities,
            shift: model.shift,
            seed: configuration.seed
        )
        let unconditional = try model.text.encode([""], on: lanes.lanes[0].tape)
        for round in 1...rounds {
            let samples = corpus.samples(of: BatchID(round - 1))
            let text = try model.text.encode(samples.map(\.text), on: lanes.lanes[0].tape)
            let batch = alignment.rollOut(
                samples,
                conditional: text,
                unconditional: unconditional,
                teacher: teacher,
                latentShape: Array(model.latentShape(count: 1).dropFirst()),
                pool: lanes
            )
            var pool = TrajectoryPool(
                grid: alignment.grid,
                segmentProbabilities: configuration.training.segmentProbabilities,
                usesPerSample: 1
            )
            pool.add(batch, id: round - 1, text: text)
            var random = TrainingEngine.random(
                seed: configuration.seed,
                round: RoundNumber(round),
                trainer: "trainer"
            )
            while let (segments, _, _) = pool.draw(2, random: &random) {
                _ = trainer.step(segments, random: &random)
            }
        }
        return networks.student.parameters.values.values
    }
}
