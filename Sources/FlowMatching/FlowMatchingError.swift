/// What can be wrong with a schedule that came from outside.
package enum FlowMatchingError: Error, Equatable, CustomStringConvertible {
    /// A schedule of fewer than two sigmas has no step.
    case tooFewSigmas(count: Int)
    /// A sigma is not a number in `0 ... 1`.
    case sigmaOutOfRange(index: Int, value: Double)
    /// A sigma is not below the one before it.
    case sigmasNotDecreasing(index: Int, value: Double, previous: Double)

    package var description: String {
        switch self {
        case .tooFewSigmas(let count):
            "a schedule has at least two sigmas, the last included, got \(count)"
        case .sigmaOutOfRange(let index, let value):
            "sigma \(index) is \(value), expected a number from 0 to 1"
        case .sigmasNotDecreasing(let index, let value, let previous):
            "sigma \(index) is \(value), expected less than the \(previous) before it"
        }
    }
}
