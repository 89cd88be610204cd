import DiffusionModels
import FlowMatching
import Synchronization
import Tensors

@testable import Distillation

/// The exact velocity of data N(mean, deviation²): with k = (t − (1 − t) s²) / ((1 − t)² s² + t²) it is
/// −m + k (z − (1 − t) m).
struct GaussianNetwork: VelocityNetwork {
    var mean: Float = 0
    var deviation: Float = 1

    func callAsFunction(latents: Variable, text: TextCondition, sigmas: [Float], on tape: Tape) -> Variable {
        let slopes = sigmas.map(slope)
        let row = latents.shape.dropFirst().reduce(1, *)
        let offsets = zip(sigmas, slopes).flatMap { sigma, slope -> [Float] in
            let offset = -mean - slope * (1 - sigma) * mean
            return [Float](repeating: offset, count: row)
        }
        return tape.step(from: Tensor(offsets, shape: latents.shape), by: slopes, along: latents)
    }

    func slope(_ t: Float) -> Float {
        let variance = deviation * deviation
        let total = (1 - t) * (1 - t) * variance + t * t
        return (t - (1 - t) * variance) / total
    }
}

/// Says the same velocity everywhere, and remembers the gradient's place and what it was asked.
final class ConstantNetwork: VelocityNetwork {
    private let velocity: Float
    private let questions = Mutex<[(state: Float, sigma: Float)]>([])

    init(_ velocity: Float) { self.velocity = velocity }

    /// The first number of each state it was asked for, and the noise level.
    var asked: [(state: Float, sigma: Float)] { questions.withLock { $0 } }

    func callAsFunction(latents: Variable, text: TextCondition, sigmas: [Float], on tape: Tape) -> Variable {
        questions.withLock { questions in
            questions += sigmas.enumerated().map { (latents.value.row($0).values[0], $1) }
        }
        return tape.variable(Tensor(repeating: velocity, shape: latents.shape))
    }
}

/// Judges a state of one number by the number itself, with features x and 2 x, and remembers what it was shown.
final class ScaleJudge: StateJudge {
    private let shown = Mutex<[(states: [Float], sigmas: [Float])]>([])

    /// The states of each question, and their noise levels.
    var asked: [(states: [Float], sigmas: [Float])] { shown.withLock { $0 } }

    func callAsFunction(
        states: Variable,
        text: TextCondition,
        sigmas: [Float],
        on tape: Tape
    ) -> TrajectoryDiscriminator.Output {
        shown.withLock { $0.append((states.value.values, sigmas)) }
        let row = tape.reshape(states, [states.shape[0], 1])
        let twice = tape.step(
            from: .zeros(row.shape),
            by: [Float](repeating: 2, count: sigmas.count),
            along: row
        )
        return TrajectoryDiscriminator.Output(logits: [row], features: [row, twice])
    }
}

/// Parts of toy batches: samples of one number.
enum Toy {
    static let grid = SegmentGrid(kind: .rectified, segmentCount: 4, stepsPerSegment: 2, shift: 3)

    static func batch(_ starts: [Float], _ ends: [Float], from a: Float, to b: Float) -> SegmentBatch {
        let count = starts.count
        return SegmentBatch(
            starts: latents(starts),
            ends: latents(ends),
            startSigmas: [Float](repeating: a, count: count),
            endSigmas: [Float](repeating: b, count: count),
            text: text(count)
        )
    }

    static func latents(_ values: [Float]) -> Tensor { Tensor(values, shape: [values.count, 1, 1, 1]) }

    static func text(_ count: Int) -> EncodedText {
        EncodedText(context: .zeros([count, 1, 1]), pooled: .zeros([count, 1]))
    }

    static func teaching(_ teacher: any VelocityNetwork, guidance: ClosedRange<Float> = 1...1) -> Teaching {
        Teaching(
            teacher: teacher,
            unconditional: text(1),
            grid: grid,
            shift: TimeShift(factor: 3),
            guidance: guidance
        )
    }

    static func part(
        _ batch: SegmentBatch,
        _ draws: ObjectiveDraws = .init(),
        student: any VelocityNetwork,
        step: Int = 0,
        turn: ObjectiveTurn = .init(updatesStudent: true, updatesCritic: false)
    ) -> ObjectivePart {
        ObjectivePart(
            batch,
            draws: draws,
            student: student,
            batchCount: batch.count,
            step: step,
            turn: turn,
            inference: Tape()
        )
    }
}
