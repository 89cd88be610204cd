package import Tensors

/// How much pictures of one prompt from different noises differ.
package enum PairwiseDiversity {
    /// The mean root mean square distance over all pairs of one prompt's samples.
    ///
    /// - Parameter samples: `[samples, channels, height, width]`, two or more of one prompt.
    package static func ofPrompt(_ samples: Tensor) -> Double {
        let count = samples.shape[0]
        precondition(count >= 2, "a pair is of two samples, not of \(count)")
        var sum = 0.0
        for first in 0..<count {
            let row = samples.row(first)
            for second in 0..<first {
                sum += (row.squaredDistance(to: samples.row(second)) / Double(row.count)).squareRoot()
            }
        }
        return sum / Double(count * (count - 1) / 2)
    }
}
