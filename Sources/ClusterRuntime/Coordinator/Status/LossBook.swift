import ClusterMessages

/// What the trainers' step reports say about the losses, by round.
struct LossBook: Sendable {
    /// Means over the steps of a round, weighted by samples.
    struct Means: Sendable, Equatable {
        let terms: [String: Double]
        let steps: Int
    }

    private struct Sums: Sendable {
        var terms: [String: Double] = [:]
        var weights: [String: Double] = [:]
        var steps = 0
    }

    /// A peer chooses the names, so their number is bounded.
    private static let termLimit = 32
    private var rounds: [RoundNumber: Sums] = [:]
    /// The newest value of every term.
    private(set) var latest: [String: Double] = [:]

    /// Takes one step's losses; norms of gradients and counts of evaluations are not among them.
    mutating func add(_ report: Message.StepReport, openRound: RoundNumber) {
        guard report.round == openRound else { return }
        var sums = rounds[report.round] ?? Sums()
        let weight = Double(max(1, report.sampleCount))
        let losses = report.losses.filter { !EvaluationBook.isCount($0.name) }
        for loss in losses where latest[loss.name] != nil || latest.count < Self.termLimit {
            latest[loss.name] = loss.value
            sums.terms[loss.name, default: 0] += weight * loss.value
            sums.weights[loss.name, default: 0] += weight
        }
        sums.steps += 1
        rounds[report.round] = sums
    }

    /// Closes the book of a round; nil when nobody reported a step of it.
    mutating func close(_ round: RoundNumber) -> Means? {
        let sums = rounds[round]
        rounds = rounds.filter { $0.key > round }
        return sums.map { sums in
            let terms = sums.terms.map { name, sum in (name, sum / (sums.weights[name] ?? 1)) }
            return Means(terms: Dictionary(uniqueKeysWithValues: terms), steps: sums.steps)
        }
    }
}
