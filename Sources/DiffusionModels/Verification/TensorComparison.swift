package import Tensors

/// How far a tensor is from its reference.
package struct TensorComparison: Sendable, Equatable {
    /// The reference's name, `expected.…`.
    package let name: String
    /// max |x − r|.
    package let absoluteError: Double
    /// The larger of max |x − r| / max |r| and ‖x − r‖ / ‖r‖.
    ///
    /// Neither one bad element nor many slightly bad ones pass. Zero where both are zero, infinite where only the reference is.
    package let relativeError: Double

    /// Compares `found` with a reference of the same shape.
    ///
    /// - Parameter scale: the least magnitude that errors are measured against, for references that are zero but for
    ///   rounding.
    package init(_ name: String, _ found: Tensor, expected: Tensor, scale: Double = 0) {
        self.name = name
        guard found.isFinite, expected.isFinite else {
            absoluteError = .infinity
            relativeError = .infinity
            return
        }
        let zero = Tensor.zeros(expected.shape)
        let largest = Double(found.largestAbsoluteDifference(to: expected))
        let length = found.squaredDistance(to: expected).squareRoot()
        let magnitude = max(scale, Double(expected.largestAbsoluteDifference(to: zero)))
        let norm = max(
            scale * Double(expected.count).squareRoot(),
            expected.sumOfSquares.squareRoot()
        )
        absoluteError = largest
        relativeError = largest == 0 ? 0 : max(largest / magnitude, length / norm)
    }

    package func isWithin(_ tolerance: Double) -> Bool { relativeError <= tolerance }
}
