import Tensors

/// How members' parameters become a round's.
enum OuterStep {
    /// Rate and momentum of the outer step (DiLoCo, arXiv 2311.08105).
    private static let rate: Float = 0.7
    private static let momentum: Float = 0.9

    /// The mean of equally long tensors, weighted by samples, summed in the order given.
    ///
    /// It is x₀ + Σ wᵢ (xᵢ − x₀): of one member, or of equal ones, it is the first bit for bit.
    static func mean(_ members: [(values: Tensor, samples: Int)]) -> Tensor {
        precondition(!members.isEmpty, "a mean is of at least one member")
        let total = members.reduce(0.0) { $0 + Double($1.samples) }
        let mean = members[0].values.copied()
        for (values, samples) in members.dropFirst() {
            let weight = Float(Double(samples) / total)
            mean.accumulate(values.subtracting(members[0].values), scaledBy: weight)
        }
        return mean
    }

    /// A step of SGD with Nesterov momentum along the pseudo-gradient g = base − mean.
    ///
    /// m ← .9 m + g, then base − .7 (g + .9 m).
    static func nesterov(base: Tensor, mean: Tensor, velocity: Tensor?) -> (values: Tensor, velocity: Tensor)
    {
        let gradient = base.subtracting(mean)
        let next = velocity.map { gradient.adding($0, scaledBy: momentum) } ?? gradient
        let step = gradient.adding(next, scaledBy: momentum)
        return (base.adding(step, scaledBy: -rate), next)
    }
}
