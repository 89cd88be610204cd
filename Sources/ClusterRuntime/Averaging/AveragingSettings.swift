package import ClusterMessages

/// How a round makes one state out of the trainers'.
package struct AveragingSettings: Sendable, Equatable {
    package enum Rule: String, Sendable, CaseIterable {
        /// The mean, weighted by samples.
        case mean
        /// The mean's step from the last parameters is taken with momentum .9 and rate .7 (DiLoCo's outer step).
        case nesterov
    }

    /// How offers write their parameters; what is committed is always 32-bit floats.
    package enum Exchange: String, Sendable, CaseIterable {
        /// The numbers themselves.
        case float32
        /// Differences to the base, half the bytes.
        case float16
        /// Differences to the base, about a quarter of the bytes.
        case int8
    }

    package var student = Rule.mean
    package var discriminator = Rule.mean
    /// Rounds from one average of the discriminators to the next, until which each trainer goes on with its own.
    ///
    /// A discriminator is far larger than the student; above 1 it is uploaded less often, and the students
    /// learn from critics that drift apart.
    package var discriminatorPeriod = 1
    /// Rounds from one average of the optimizers' moments to the next, until which each trainer goes on with its own;
    /// 0 means never, and whoever comes begins with none.
    ///
    /// Both moments of both optimizers are twice the parameters. DES-LOC (arXiv 2505.22549) finds that first moments may
    /// be averaged three times and second ones six times as rarely as parameters; one period for both is the shorter.
    package var momentsPeriod = 3
    /// What offers of the student and of the discriminator are written in.
    package var exchange = Exchange.float32

    /// Whether trainers keep a running mean of the student, of which rounds make one as of the student.
    package var keepsStudentAverage = false
    /// Whether anything is trained beside the student.
    package var hasCritic = true

    package init() {}

    /// What the committed state consists of, in order.
    package var segments: [StateSegment] {
        StateSegment.allCases.filter { segment in
            if segment == .studentAverage { return keepsStudentAverage }
            if segment.isOfCritic, !hasCritic { return false }
            return momentsPeriod > 0 || !segment.isOfMoments
        }
    }

    /// Rounds from one average of a segment to the next.
    private func period(of segment: StateSegment) -> UInt64 {
        if segment.isOfMoments { return UInt64(momentsPeriod) }
        return segment == .discriminator ? UInt64(discriminatorPeriod) : 1
    }

    /// The segments that a round averages.
    package func segments(averagedIn round: RoundNumber) -> [StateSegment] {
        segments.filter { round.rawValue.isMultiple(of: period(of: $0)) }
    }

    /// The segments that were averaged after one round and not after another: a trainer that has the former's state
    /// goes on to the latter with the others as they are.
    package func segments(averagedAfter former: RoundNumber, until round: RoundNumber) -> [StateSegment] {
        segments.filter { former.rawValue / period(of: $0) != round.rawValue / period(of: $0) }
    }

    /// How an offer writes a segment.
    ///
    /// Moments and counts are 32-bit floats: second moments are too small for halves, and few of either are sent.
    package func encoding(of segment: StateSegment) -> NumberEncoding {
        guard segment.isOfParameters else { return .float32 }
        return switch exchange {
        case .float32: .float32
        case .float16: .float16
        case .int8: .int8
        }
    }
}
