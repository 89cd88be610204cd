import ClusterMessages
import Distillation
import NeuralNetwork
import Tensors

/// What a trainer's next round begins with: its own state, and the committed one as far as offers refer to it.
struct RoundBase: Sendable {
    private let averaging: AveragingSettings
    /// Parameters, moments and counts of this trainer.
    private var own: TrainingBase
    /// The hashes of the committed state's segments, in order.
    private(set) var hashes: [(segment: StateSegment, hash: ContentHash)]
    /// The committed numbers of segments that are offered as differences, or measured in a ring.
    private(set) var committed: [StateSegment: Tensor] = [:]
    /// What rounding took away from the last offer, if that is in the committed state.
    ///
    /// It outlives aborted rounds and offers made again, but no process: whoever starts anew is off by half a step of
    /// the rounding, once.
    private var residuals: [StateSegment: Tensor] = [:]

    /// A run that has not begun.
    ///
    /// - Parameter usesRing: whether the distances of other trainers' offers are measured here.
    init(_ trainer: DistillationTrainer, _ averaging: AveragingSettings, usesRing: Bool = false) {
        self.averaging = averaging
        own = TrainingBase(trainer)
        hashes = averaging.segments.map { ($0, ContentHash(of: trainer.values(of: $0))) }
        for segment in averaging.segments
        where averaging.encoding(of: segment) != .float32 || usesRing && segment.isOfParameters {
            committed[segment] = trainer.values(of: segment).copied()
        }
    }

    /// The hash of the state with some segments replaced.
    func hash(with segments: [ParameterBytes.Segment] = []) -> ContentHash {
        ContentHash(
            ofAll: hashes.map { segment, hash in
                segments.first { $0.name == segment.rawValue }?.hash ?? hash
            }
        )
    }

    /// Brings the trainer back to where the round begins.
    func restore(_ trainer: inout DistillationTrainer) { own.restore(&trainer) }

    /// What the trainer offers in a round.
    func offer(_ trainer: DistillationTrainer, in round: RoundNumber) -> LocalOffer {
        let parts = averaging.segments(averagedIn: round).map { segment in
            let (values, encoding) = (trainer.values(of: segment), averaging.encoding(of: segment))
            guard encoding != .float32, let base = committed[segment] else {
                return LocalOffer.Part(segment, values)
            }
            let residual = residuals[segment]
            let difference = Difference(of: values, to: base, residual: residual, as: encoding)
            return LocalOffer.Part(segment, difference, as: encoding)
        }
        return LocalOffer(parts, others: hashes)
    }

    /// Goes on with a committed state.
    ///
    /// - Parameters:
    ///   - segments: those that the trainer takes over; it keeps its own of the others.
    ///   - offer: what this trainer put into the state.
    mutating func load(
        _ segments: [ParameterBytes.Segment],
        into trainer: inout DistillationTrainer,
        after offer: LocalOffer?
    ) {
        for segment in segments {
            guard let index = hashes.firstIndex(where: { $0.segment.rawValue == segment.name }) else {
                continue
            }
            hashes[index].hash = segment.hash
            trainer.load(segment.values, as: hashes[index].segment)
            committed[hashes[index].segment]?.copy(from: segment.values)
        }
        settle(offer, trainer)
    }

    /// Goes on with a state that is the trainer's own offer, nobody else's being in it.
    mutating func keep(_ offer: LocalOffer, in trainer: inout DistillationTrainer) {
        for part in offer.parts {
            if let index = hashes.firstIndex(where: { $0.segment == part.segment }) {
                hashes[index].hash = part.valuesHash
            }
            if let values = part.values { trainer.load(values, as: part.segment) }
            committed[part.segment]?.copy(from: trainer.values(of: part.segment))
        }
        settle(offer, trainer)
    }

    private mutating func settle(_ offer: LocalOffer?, _ trainer: DistillationTrainer) {
        residuals = [:]
        for part in offer?.parts ?? [] { residuals[part.segment] = part.residual }
        own.take(trainer)
    }
}

/// A trainer's own state: parameters, moments and counts of updates.
struct TrainingBase {
    private var trainer: DistillationTrainer
    private let copies: [Tensor]

    /// Copies the present state.
    init(_ trainer: DistillationTrainer) {
        self.trainer = trainer
        copies = trainer.mutableTensors.map { $0.copied() }
    }

    /// Copies the present state into the memory of the one before.
    mutating func take(_ trainer: DistillationTrainer) {
        self.trainer = trainer
        for (copy, source) in zip(copies, trainer.mutableTensors) { copy.copy(from: source) }
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
            + [studentAverage].compactMap(\.self)
            + studentOptimizer.memory + discriminatorOptimizer.memory
    }
}
