package import Tensors

/// How noise levels u are drawn for a teacher's training: logit-normal (Esser and others 2024, §3.1), some of them
/// uniform.
///
/// u = 1 / (1 + exp(−(mean + deviation · n))) with n ~ N(0, 1): most of them where the velocity is hard to tell. The
/// uniform share sees to it that both ends of the way are learned.
package struct NoiseLevels: Sendable, Codable, Equatable {
    /// Of the logit; above zero it leans towards noise.
    package var mean: Float
    /// Of the logit.
    package var deviation: Float
    /// Share of levels that are uniform in `0 ... 1`.
    package var uniformShare: Float

    /// By default those of the shipped teacher's training.
    package init(mean: Float = 0.3, deviation: Float = 1.1, uniformShare: Float = 0.25) {
        self.mean = mean
        self.deviation = deviation
        self.uniformShare = uniformShare
    }

    /// Draws levels in `0 ... 1`.
    package func draw(_ count: Int, from stream: inout RandomStream) -> [Float] {
        let (choices, uniform) = (stream.uniform([count]).values, stream.uniform([count]).values)
        let normal = stream.normal([count]).values
        return (0..<count).map { index in
            choices[index] <= uniformShare ? uniform[index] : (mean + deviation * normal[index]).logistic
        }
    }
}
