import Tensors

/// Losses of parts of a batch, which add up to the batch's.
struct PartialLosses {
    private(set) var losses: [StepReport.Loss] = []
    private(set) var logits: (real: Double, fake: Double)?
    private(set) var evaluations = EvaluationCounts()
    private(set) var recorded = EvaluationCounts()

    init() {}

    /// What a part came to.
    init(_ terms: ObjectiveTerms, of part: ObjectivePart) {
        losses = (terms.student + terms.critic).map {
            StepReport.Loss(name: $0.name, value: Double($0.loss.value.scalar))
        }
        logits = terms.logits
        evaluations = part.evaluations
        recorded = part.recorded
    }

    static func += (sum: inout Self, part: Self) {
        if sum.losses.isEmpty {
            sum.losses = part.losses
        } else {
            for (index, loss) in part.losses.enumerated() { sum.losses[index].value += loss.value }
        }
        if let logits = part.logits {
            sum.logits = (
                (sum.logits?.real ?? 0) + logits.real, (sum.logits?.fake ?? 0) + logits.fake
            )
        }
        sum.evaluations += part.evaluations
        sum.recorded += part.recorded
    }
}
