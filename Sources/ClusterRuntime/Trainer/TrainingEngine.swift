import ClusterMessages
import DiffusionModels
import Distillation
import NeuralNetwork
import Synchronization
import Tensors

/// A trainer's numerics: networks, optimizers, and the batches of the round at hand.
///
/// Every method computes for long and belongs on the ``ComputeThread``. Each round begins at the base, bit for bit,
/// so a round that was aborted half-way is simply begun again.
final class TrainingEngine: Sendable {
    /// What one local step did.
    struct LocalStep: Sendable {
        let report: StepReport
        let draws: [SegmentSupply.Draw]
    }

    private struct State {
        var trainer: DistillationTrainer
        var base: TrainingBase
        var supply: SegmentSupply
        var random = RandomStream(key: 0, stream: 0)
        var corpus: PromptCorpus
    }

    /// Keeps the draws of training apart from those of noise and guidance.
    static let randomKey: UInt64 = 0x7472_6169_6E69_6E67

    /// Names and bytes of what a round averages, in order.
    let segments: [(name: String, byteCount: Int)]
    private let configuration: RunConfiguration
    private let model: ModelFolder
    private let alignment: OnlineTrajectoryAlignment
    private let lanes: LanePool
    private let state: Mutex<State>

    /// The networks of round 0, which every process makes alike.
    init(_ model: ModelFolder, configuration: RunConfiguration, lanes count: Int) throws {
        let networks = try TrainableNetworks(
            teacher: model,
            network: configuration.network,
            seed: configuration.seed
        )
        lanes = LanePool(count: count)
        let trainer = DistillationTrainer(networks, settings: configuration.training, pool: lanes)
        self.model = model
        self.configuration = configuration
        segments = networks.segments.map { ($0.name, $0.parameters.values.count * 4) }
        alignment = OnlineTrajectoryAlignment(
            configuration.trajectory,
            segmentProbabilities: configuration.training.segmentProbabilities,
            shift: model.shift,
            seed: configuration.seed
        )
        let corpus = try PromptCorpus(configuration)
        state = Mutex(
            State(
                trainer: trainer,
                base: TrainingBase(trainer),
                supply: SegmentSupply(configuration, grid: alignment.grid),
                corpus: corpus
            )
        )
    }

    /// The present parameters.
    var parameters: ParameterBytes { state.withLock { ParameterBytes($0.trainer.networks) } }

    // MARK: Rounds

    /// Takes over committed parameters, whose segments are ``segments``, as the base of the next round.
    ///
    /// - Parameter keepsDiscriminator: goes on with the discriminator at hand.
    func load(_ parameters: ParameterBytes, keepsDiscriminator: Bool = false) {
        state.withLock { state in
            for (target, source) in zip(state.trainer.networks.segments, parameters.segments) {
                if keepsDiscriminator, target.name == AveragingSettings.discriminatorSegment { continue }
                target.parameters.values.copy(from: source.values)
            }
            state.base = TrainingBase(state.trainer)
        }
    }

    /// Makes the present parameters, which were committed as they are, the base of the next round.
    func keep() { state.withLock { $0.base = TrainingBase($0.trainer) } }

    /// Goes back to the base, with no batch at hand and the draws of this round and node before it.
    func begin(_ round: RoundNumber, node: NodeID) {
        state.withLock { state in
            state.base.restore(&state.trainer)
            state.supply.removeAll()
            state.random = RandomStream(
                key: configuration.seed ^ Self.randomKey,
                stream: round.rawValue << 32 | UInt64(node.rawValue)
            )
        }
    }

    // MARK: Steps

    /// Whether a step needs another batch first.
    var needsBatch: Bool { state.withLock { $0.supply.needsBatch(for: configuration.training.batchSize) } }

    /// Adds a fetched batch; its prompts follow from its number.
    func add(_ assignment: Message.Assign, _ bytes: [UInt8]) throws(NodeError) {
        let samples = state.withLock { $0.corpus.samples(of: assignment.batch) }
        let batch = try decode(
            bytes,
            assignment,
            segments: alignment.segments(for: samples),
            count: samples.count
        )
        let text = model.text.encode(samples.map(\.text), on: lanes.lanes[0].tape)
        let source = BatchSource(batch: assignment.batch, hash: assignment.hash, sampleCount: samples.count)
        state.withLock { $0.supply.add(source, batch, text: text) }
    }

    /// The states in a batch's bytes, of the shape the configuration gives.
    private func decode(
        _ bytes: [UInt8],
        _ assignment: Message.Assign,
        segments: [Int],
        count: Int
    ) throws(NodeError) -> TrajectoryBatch {
        let isChained = configuration.trajectory.onlineAlignment
        let times = isChained ? segments.count + 1 : 2 * segments.count
        let shape = [times] + model.latentShape(count: count)
        let expected = shape.reduce(1, *) * ScalarType.float32.byteCount
        guard bytes.count == expected, assignment.sampleCount == count else {
            throw .wrongBytes(
                peer: "node \(assignment.holder)",
                subject: "batch \(assignment.batch)",
                expected: "\(count) samples in \(expected) bytes",
                actual: "\(assignment.sampleCount) in \(bytes.count)"
            )
        }
        let states = Tensor(decoding: bytes, as: .float32, shape: shape)
        return TrajectoryBatch(segments: segments, states: states, isChained: isChained)
    }

    /// One update of student and discriminator; nil when a batch is needed first.
    func step() -> LocalStep? {
        state.withLock { state -> LocalStep? in
            let count = configuration.training.batchSize
            guard let (batch, draws) = state.supply.draw(count, random: &state.random) else { return nil }
            return LocalStep(report: state.trainer.step(batch, random: &state.random), draws: draws)
        }
    }
}

/// What a round begins with: parameters, moments and counts of updates.
struct TrainingBase {
    private let trainer: DistillationTrainer
    private let copies: [Tensor]

    /// Copies the present state.
    init(_ trainer: DistillationTrainer) {
        self.trainer = trainer
        copies = trainer.mutableTensors.map { $0.copied() }
    }

    /// Brings the state back.
    func restore(_ trainer: inout DistillationTrainer) {
        trainer = self.trainer
        for (target, copy) in zip(trainer.mutableTensors, copies) { target.copy(from: copy) }
    }
}

extension DistillationTrainer {
    /// Everything that updates write in place; the rest of the value is copied with it.
    fileprivate var mutableTensors: [Tensor] {
        networks.segments.map(\.parameters.values)
            + [studentOptimizer, discriminatorOptimizer].flatMap { [$0.firstMoment, $0.secondMoment] }
    }
}
