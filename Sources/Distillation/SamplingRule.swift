import FlowMatching
import Tensors

/// How a few-step model goes from one noise level of its schedule to the next.
package enum SamplingRule: Sendable, Equatable {
    /// Straight along the velocity.
    case euler
    /// Straight to the end of the segment it is in, of so many of the same kind, and back up with fresh noise: for one
    /// segment multistep consistency sampling (Song and others 2023, algorithm 1).
    ///
    /// Where a segment ends at the next noise level, or below it only by another, there is nothing random in it.
    case jumps(segments: Int)
}

extension SamplingRule: LosslessStringConvertible {
    private static let jumpsPrefix = "jumps-"

    package init?(_ description: String) {
        if description == "euler" {
            self = .euler
        } else if description.hasPrefix(Self.jumpsPrefix),
            let segments = Int(description.dropFirst(Self.jumpsPrefix.count)), segments >= 1
        {
            self = .jumps(segments: segments)
        } else {
            return nil
        }
    }

    package var description: String {
        switch self {
        case .euler: "euler"
        case .jumps(let segments): "\(Self.jumpsPrefix)\(segments)"
        }
    }
}

/// Samples by jumps to the ends of segments and fresh noise.
///
/// The fresh noise of a sample follows from its initial noise, so that a picture depends on that alone, whatever it is
/// drawn with.
struct JumpSolver {
    let schedule: SigmaSchedule
    /// Noise levels where segments end, decreasing to 0.
    let ends: [Float]

    /// - Parameter schedule: its steps that cross an end go straight, as there is nothing to jump to.
    func solve(_ field: some VelocityField, from noise: Tensor) -> Tensor {
        var state = noise
        for step in 0..<schedule.stepCount {
            let (sigma, next) = (schedule[step], schedule[step + 1])
            let end = min(next, ends.first { $0 < sigma - Self.tolerance } ?? 0)
            state = state.adding(field.velocity(of: state, at: sigma), scaledBy: end - sigma)
            guard next - end > Self.tolerance else { continue }
            // Of what a clean part shrunk to (1 − next) has for noise, the state brings some along.
            let factor = (1 - next) / (1 - end)
            let missing = (next * next - factor * end * factor * end).squareRoot()
            state = state.scaled(by: factor).adding(Self.fresh(step, like: noise), scaledBy: missing)
        }
        return state
    }

    /// Noise levels nearer than this are one.
    private static let tolerance: Float = 1e-5

    /// Standard normal numbers for a step, every sample's a function of its initial noise.
    private static func fresh(_ step: Int, like noise: Tensor) -> Tensor {
        .stacked(
            (0..<noise.shape[0]).map { sample in
                let row = noise.row(sample)
                let first = row.reshaped([row.count]).rows(0..<min(2, row.count)).values
                let key = first.reduce(UInt64(0)) { $0 << 32 | UInt64($1.bitPattern) }
                var stream = RandomStream(key: key, stream: UInt64(step))
                return stream.normal(row.shape)
            }
        )
    }
}
