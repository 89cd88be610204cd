import DiffusionModels
package import Tensors

/// What one method minimises: the losses of a student, and of the critic where the method has one.
///
/// Parts of a batch are computed on several lanes; the losses of all parts add up to the batch's.
package protocol Objective: Sendable {
    /// Random numbers an update draws for every sample.
    var randomNumbers: ObjectiveDraws.Need { get }

    /// Who is updated by update `step`, counted from 0.
    func turn(step: Int) -> ObjectiveTurn

    /// The losses of a part of a batch, recorded on `tape`.
    func terms(_ part: inout ObjectivePart, on tape: Tape) -> ObjectiveTerms
}

extension Objective {
    package var randomNumbers: ObjectiveDraws.Need { .init() }

    package func turn(step: Int) -> ObjectiveTurn {
        ObjectiveTurn(updatesStudent: true, updatesCritic: false)
    }
}

/// Who learns in an update.
package struct ObjectiveTurn: Sendable, Equatable {
    package let updatesStudent: Bool
    package let updatesCritic: Bool

    package init(updatesStudent: Bool, updatesCritic: Bool) {
        self.updatesStudent = updatesStudent
        self.updatesCritic = updatesCritic
    }
}

/// The losses of a part of a batch.
package struct ObjectiveTerms {
    /// A loss under the name it is reported by, a mean over the whole batch.
    package struct Term {
        package let name: String
        package let weight: Float
        package let loss: Variable

        package init(_ name: String, weight: Float = 1, _ loss: Variable) {
            self.name = name
            self.weight = weight
            self.loss = loss
        }
    }

    /// Their weighted sum goes back to the student's parameters.
    package var student: [Term] = []
    /// Their weighted sum goes back to the critic's parameters.
    package var critic: [Term] = []
    /// Mean logits of real and fake states, the part's share of them; nil without a discriminator.
    package var logits: (real: Double, fake: Double)?

    package init() {}

    /// Adds the terms and logits of `other`.
    package mutating func append(_ other: ObjectiveTerms) {
        student += other.student
        critic += other.critic
        logits = other.logits ?? logits
    }
}
