import ClusterMessages
import Coordination
import DiffusionModels
import Distillation
import FlowMatching
import Foundation
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
        var base: RoundBase
        /// The offer of the round at hand, once it is made.
        var offer: LocalOffer?
        var supply: SegmentSupply
        var random = RandomStream(key: 0, stream: 0)
        var corpus: PromptCorpus
    }

    /// Keeps the draws of training apart from those of noise and guidance.
    static let randomKey: UInt64 = 0x7472_6169_6E69_6E67

    private let configuration: RunConfiguration
    private let model: ModelFolder
    private let alignment: OnlineTrajectoryAlignment
    private let lanes: LanePool
    private let state: Mutex<State>

    /// The networks of round 0, which every process makes alike.
    ///
    /// - Parameter folder: where state lies that the configuration has paged.
    init(_ model: ModelFolder, configuration: RunConfiguration, lanes count: Int, folder: String) throws {
        let networks = try TrainableNetworks(
            teacher: model,
            network: configuration.network,
            seed: configuration.seed
        )
        lanes = LanePool(count: count)
        let memory = try Self.memory(of: configuration, in: folder)
        let trainer = try DistillationTrainer(
            networks,
            settings: configuration.training,
            teaching: try Teaching(networks, model, configuration.trajectory, on: lanes.lanes[0].tape),
            pool: lanes,
            memory: memory
        )
        self.model = model
        self.configuration = configuration
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
                base: try RoundBase(
                    trainer,
                    configuration.averaging,
                    usesRing: configuration.cluster.topology == .ring,
                    in: memory
                ),
                supply: SegmentSupply(configuration, alignment),
                corpus: corpus
            )
        )
    }

    private static func memory(of configuration: RunConfiguration, in folder: String) throws -> StateMemory {
        guard configuration.training.pagesOptimizerState else { return .resident }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw FileWritingError(path: folder, reason: error.localizedDescription)
        }
        return .paged(in: folder)
    }

    /// The hash of the committed state that the next round begins with.
    var hash: ContentHash { state.withLock { $0.base.hash() } }

    /// The hash of that state with some segments replaced.
    func hash(with segments: [ParameterBytes.Segment]) -> ContentHash {
        state.withLock { $0.base.hash(with: segments) }
    }

    /// The committed numbers that other trainers' offers are measured against; nobody changes them within a round.
    var committed: [StateSegment: Tensor] { state.withLock { $0.base.committed } }

    /// Names and bytes of segments.
    func sizes(of segments: [StateSegment]) -> [(name: String, byteCount: Int)] {
        state.withLock { state in
            segments.map { ($0.rawValue, state.trainer.values(of: $0).count * ScalarType.float32.byteCount) }
        }
    }

    // MARK: Rounds

    /// Takes over segments of a committed state, the base of the next round; others stay what they are here.
    ///
    /// - Parameter countsOffer: this trainer's offer is known to be in the state.
    func load(_ segments: [ParameterBytes.Segment], countsOffer: Bool) {
        state.withLock { state in
            state.base.load(segments, into: &state.trainer, after: countsOffer ? state.offer : nil)
            state.offer = nil
        }
    }

    /// Makes the present offer, which was committed as it is, the base of the next round.
    func keep() {
        state.withLock { state in
            guard let offer = state.offer.take() else { return }
            state.base.keep(offer, in: &state.trainer)
        }
    }

    /// Goes back to the base, with no batch at hand and the draws of this round and trainer before it.
    ///
    /// - Parameter trainer: its name, which stays the same whenever and in whatever order trainers come.
    func begin(_ round: RoundNumber, trainer name: String) {
        state.withLock { state in
            state.base.restore(&state.trainer)
            state.offer = nil
            state.supply.removeAll()
            state.random = Self.random(seed: configuration.seed, round: round, trainer: name)
        }
    }

    /// The draws of a trainer in a round.
    static func random(seed: UInt64, round: RoundNumber, trainer name: String) -> RandomStream {
        let number = ContentHash(of: Array(name.utf8)).bytes.prefix(4).reduce(UInt64(0)) {
            $0 << 8 | UInt64($1)
        }
        return RandomStream(key: seed ^ randomKey, stream: round.rawValue << 32 | number)
    }

    /// The offer of what the round's steps made.
    func offer(in round: RoundNumber) -> LocalOffer {
        state.withLock { state in
            let offer = state.base.offer(state.trainer, in: round)
            state.offer = offer
            return offer
        }
    }

    // MARK: Steps

    /// Whether a step needs another batch first.
    var needsBatch: Bool { state.withLock { $0.supply.needsBatch(for: configuration.training.batchSize) } }

    /// Adds a fetched batch; its prompts follow from its number.
    func add(_ assignment: Message.Assign, _ pieces: [[UInt8]]) throws(NodeError) {
        let samples = state.withLock { $0.corpus.samples(of: assignment.batch) }
        let batch = try decode(
            pieces,
            assignment,
            segments: alignment.segments(for: samples),
            count: samples.count
        )
        let text: EncodedText
        do {
            text = try model.text.encode(samples.map(\.text), on: lanes.lanes[0].tape)
        } catch {
            throw .local("\(error)")
        }
        let spans = alignment.spans(for: samples)
        let source = BatchSource(batch: assignment.batch, hash: assignment.hash, sampleCount: samples.count)
        state.withLock { $0.supply.add(source, batch, text: text, spans: spans) }
    }

    /// The states in a batch's bytes, of the shape the configuration gives.
    private func decode(
        _ pieces: [[UInt8]],
        _ assignment: Message.Assign,
        segments: [Int],
        count: Int
    ) throws(NodeError) -> TrajectoryBatch {
        let isChained = alignment.settings.onlineAlignment
        let times = isChained ? segments.count + 1 : 2 * segments.count
        let shape = [times] + model.latentShape(count: count)
        let expected = shape.reduce(1, *) * ScalarType.float32.byteCount
        guard pieces.byteCount == expected, assignment.sampleCount == count else {
            throw .wrongBytes(
                peer: "node \(assignment.holder)",
                subject: "batch \(assignment.batch)",
                expected: "\(count) samples in \(expected) bytes",
                actual: "\(assignment.sampleCount) in \(pieces.byteCount)"
            )
        }
        let states = Tensor(decodingFloats: pieces, shape: shape)
        return TrajectoryBatch(segments: segments, states: states, isChained: isChained)
    }

    /// One update of student and discriminator; nil when a batch is needed first.
    func step() -> LocalStep? {
        state.withLock { state -> LocalStep? in
            let count = configuration.training.batchSize
            // A trajectory trained on as a whole is one segment, whatever the stage.
            let probabilities =
                alignment.grid.segmentCount == 1
                ? nil : configuration.training.segmentProbabilities(step: state.trainer.stepCount)
            let drawn = state.supply.draw(count, probabilities: probabilities, random: &state.random)
            guard let (batch, draws) = drawn else { return nil }
            return LocalStep(report: state.trainer.step(batch, random: &state.random), draws: draws)
        }
    }
}

extension Teaching {
    /// The teacher of a run.
    init(
        _ networks: TrainableNetworks,
        _ model: ModelFolder,
        _ trajectory: TrajectorySettings,
        on tape: Tape
    ) throws {
        self.init(
            teacher: networks.teacher,
            unconditional: try model.text.encode([trajectory.negativePrompt], on: tape),
            grid: SegmentGrid(
                kind: trajectory.schedule,
                segmentCount: trajectory.segments,
                stepsPerSegment: trajectory.stepsPerSegment,
                shift: model.shift
            ),
            shift: TimeShift(factor: model.shift),
            guidance: trajectory.guidance
        )
    }
}
