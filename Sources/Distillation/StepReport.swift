/// What one update did.
package struct StepReport: Sendable, Equatable {
    package enum Outcome: Sendable, Equatable {
        case updated
        /// A gradient was not finite, so nothing was changed.
        case nonFiniteGradient
    }

    package var outcome = Outcome.updated
    /// Updates made before this one.
    package var step: Int
    /// Mean squared error of the velocity.
    package var distillation: Double = 0
    /// −mean D of the student's states.
    package var adversarial: Double = 0
    package var featureMatching: Double = 0
    /// Hinge loss of the discriminator; nil while it takes no part.
    package var discriminator: Double?
    package var realLogit: Double = 0
    package var fakeLogit: Double = 0
    /// Norm of the student's gradient before clipping.
    package var gradientNorm: Double = 0

    package init(step: Int) { self.step = step }

    /// The losses by name, as they are reported.
    package var losses: [(name: String, value: Double)] {
        var losses = [("distillation", distillation)]
        if let discriminator {
            losses += [
                ("adversarial", adversarial), ("feature_matching", featureMatching),
                ("discriminator", discriminator),
            ]
        }
        return losses
    }
}
