/// What one update did.
package struct StepReport: Sendable, Equatable {
    package enum Outcome: Sendable, Equatable {
        case updated
        /// A gradient was not finite, so nothing was changed.
        case nonFiniteGradient
    }

    /// A loss by name.
    package struct Loss: Sendable, Equatable {
        package let name: String
        package var value: Double
    }

    package var outcome = Outcome.updated
    /// Updates made before this one.
    package var step: Int
    /// The losses, unweighted, in the objective's order: the student's, then the critic's.
    package var losses: [Loss] = []
    /// Mean logits of real and fake states; nil while no discriminator takes part.
    package var logits: (real: Double, fake: Double)?
    /// Norm of the student's gradient before clipping; 0 where it was not its turn.
    package var gradientNorm: Double = 0
    /// Evaluations of networks that the update took, for all of its samples.
    package var evaluations = EvaluationCounts()
    /// Those of them that gradients flowed back through.
    package var recorded = EvaluationCounts()

    package init(step: Int) { self.step = step }

    /// The loss of a name; nil where the update had none.
    package subscript(name: String) -> Double? { losses.first { $0.name == name }?.value }

    package static func == (left: Self, right: Self) -> Bool {
        left.outcome == right.outcome && left.step == right.step && left.losses == right.losses
            && left.logits?.real == right.logits?.real && left.logits?.fake == right.logits?.fake
            && left.gradientNorm == right.gradientNorm && left.evaluations == right.evaluations
            && left.recorded == right.recorded
    }
}
