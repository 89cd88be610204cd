import ClusterMessages
import Coordination
import Tensors

/// Makes a round's state out of the last one's and the offers of a plan, a piece at a time.
///
/// In memory are the last state, the new one, and one piece of every offer; each number is the one that averaging
/// whole offers in the plan's order would make.
struct RoundAverage {
    /// Numbers averaged at once.
    private static let pieceCount = 1 << 18
    static let pieceByteCount = pieceCount * ScalarType.float32.byteCount

    /// Where the mean comes from.
    enum Source: Sendable {
        /// The plan's offers, in its order.
        case offers([SpooledOffer])
        /// A ring's members made it: each segment's, `[count]`, by name.
        case mean([String: Tensor])
    }

    let plan: RoundPlan
    let source: Source
    let averaging: AveragingSettings

    /// The new state, and the student's outer momentum where there is one.
    func state(after last: CommittedRound) throws(CoordinatorError) -> (ParameterBytes, velocity: Tensor?) {
        let averaged = averaging.segments(averagedIn: plan.round).map(\.rawValue)
        var velocity: Tensor?
        var segments: [ParameterBytes.Segment] = []
        for base in last.parameters.segments {
            guard averaged.contains(base.name) else {
                segments.append(base)
                continue
            }
            let isStepped = base.name == StateSegment.student.rawValue && averaging.student == .nesterov
            // A ring's mean is the new state, in the memory it has already, but for an outer step.
            let values = (isStepped ? nil : madeMean(of: base.name)) ?? .zeros([base.values.count])
            if isStepped { velocity = .zeros([base.values.count]) }
            for start in stride(from: 0, to: values.count, by: Self.pieceCount) {
                let range = start..<min(values.count, start + Self.pieceCount)
                var piece = try mean(of: base, range)
                if isStepped, let velocity {
                    let former = last.velocity?.rows(range)
                    let step = OuterStep.nesterov(
                        base: base.values.rows(range),
                        mean: piece,
                        velocity: former
                    )
                    velocity.rows(range).copy(from: step.velocity)
                    piece = step.values
                }
                guard piece.isFinite else {
                    throw .badParameters(round: plan.round, reason: "their average is not finite")
                }
                values.rows(range).copy(from: piece)
            }
            segments.append(ParameterBytes.Segment(name: base.name, values: values))
        }
        return (ParameterBytes(segments), velocity)
    }

    /// The mean that a ring's members made of a segment.
    private func madeMean(of name: String) -> Tensor? {
        guard case .mean(let values) = source else { return nil }
        return values[name]
    }

    private func mean(of base: ParameterBytes.Segment, _ range: Range<Int>) throws(CoordinatorError) -> Tensor
    {
        let mean: Tensor
        switch source {
        case .offers(let offers): mean = try self.mean(of: base, range, offers)
        case .mean(let values):
            guard let made = values[base.name] else {
                throw .badParameters(round: plan.round, reason: "their ring left out \(base.name)")
            }
            mean = made.rows(range).copied()
        }
        // Weights are rounded, so a mean may come out below numbers that are all zero or more.
        if StateSegment(rawValue: base.name)?.isNeverNegative ?? false { mean.raise(to: 0) }
        return mean
    }
    private func mean(
        of base: ParameterBytes.Segment,
        _ range: Range<Int>,
        _ offers: [SpooledOffer]
    ) throws(CoordinatorError) -> Tensor {
        let start = base.values.rows(range)
        var members: [(values: Tensor, samples: Int)] = []
        for (part, offer) in zip(plan.contributions, offers) {
            guard let values = try offer.values(of: base.name, range, base: start) else { continue }
            members.append((values, part.samples))
        }
        return OuterStep.mean(members)
    }
}
