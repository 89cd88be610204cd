import DiffusionModels
package import NeuralNetwork
package import Tensors

/// A student and its critic in training, with their optimizers.
///
/// It knows nothing of a cluster: it is handed segments and updates its parameters, which the owner reads,
/// averages or writes between updates. What it minimises is its method's ``Objective``.
package struct DistillationTrainer {
    package let networks: TrainableNetworks
    package var studentOptimizer: AdamW
    package var discriminatorOptimizer: AdamW
    /// The running mean of the student's parameters, written in place; nil where none is kept.
    package let studentAverage: Tensor?
    private let averageDecay: Float
    private let objective: any Objective
    /// Of the discriminator's heads.
    private let headLimit: Float?
    private let pool: LanePool
    private let studentGradients: [ParameterGradients]
    private let criticGradients: [ParameterGradients]

    /// - Parameters:
    ///   - networks: written in place by every update.
    ///   - teaching: for methods that ask the teacher while the student trains.
    ///   - pool: lanes that share each update.
    ///   - memory: where the optimizers' moments lie.
    package init(
        _ networks: TrainableNetworks,
        settings: TrainingSettings,
        teaching: Teaching? = nil,
        pool: LanePool,
        memory: StateMemory = .resident
    ) throws(FileWritingError) {
        self.networks = networks
        objective = settings.method.makeObjective(networks, settings: settings, teaching: teaching)
        averageDecay = settings.averageDecay
        studentAverage = averageDecay > 0 ? networks.student.parameters.values.copied() : nil
        headLimit = settings.adversarialLoss.headLimit
        self.pool = pool
        let student = networks.student.parameters
        let critic = networks.critic.parameters
        studentOptimizer = try AdamW(settings.optimizer, parameterCount: student.layout.count, in: memory)
        discriminatorOptimizer = try AdamW(
            settings.discriminatorOptimizer,
            parameterCount: critic.layout.count,
            in: memory
        )
        studentGradients = pool.lanes.map { _ in student.makeGradients() }
        criticGradients = pool.lanes.map { _ in critic.makeGradients() }
    }

    /// Updates made so far, be they of the student, of the critic or of both.
    package var stepCount: Int { max(studentOptimizer.stepCount, discriminatorOptimizer.stepCount) }

    /// One update of the student, of its critic, or of both on the same segments, as the objective says.
    ///
    /// - Parameter random: draws what the objective needs.
    package mutating func step(_ batch: SegmentBatch, random: inout RandomStream) -> StepReport {
        var report = StepReport(step: stepCount)
        let turn = objective.turn(step: stepCount)
        let draws = ObjectiveDraws(objective.randomNumbers, shape: batch.starts.shape, random: &random)
        let losses = differentiate(batch, draws, turn)
        report.losses = losses.losses
        report.logits = losses.logits
        report.evaluations = losses.evaluations
        report.recorded = losses.recorded
        if turn.updatesStudent {
            report.gradientNorm = studentOptimizer.update(
                networks.student.parameters,
                gradients: .sum(studentGradients, pool: pool),
                pool: pool
            )
            if !report.gradientNorm.isFinite { report.outcome = .nonFiniteGradient }
            // mean ← d · mean + (1 − d) · parameters.
            studentAverage?.scale(by: averageDecay)
            studentAverage?.accumulate(networks.student.parameters.values, scaledBy: 1 - averageDecay)
        }
        if turn.updatesCritic {
            let norm = discriminatorOptimizer.update(
                networks.critic.parameters,
                gradients: .sum(criticGradients, pool: pool),
                pool: pool
            )
            if !norm.isFinite { report.outcome = .nonFiniteGradient }
            if let headLimit, case .discriminator(let discriminator) = networks.critic {
                discriminator.clipHeads(to: headLimit)
            }
        }
        return report
    }

    /// Losses of the batch; their gradients lie in the lanes' buffers.
    private func differentiate(
        _ batch: SegmentBatch,
        _ draws: ObjectiveDraws,
        _ turn: ObjectiveTurn
    ) -> PartialLosses {
        if turn.updatesStudent { ParameterGradients.clear(studentGradients, pool: pool) }
        if turn.updatesCritic { ParameterGradients.clear(criticGradients, pool: pool) }
        let sums = LaneResults(repeating: PartialLosses(), count: pool.lanes.count)
        let pieces = networks.studentTransformer.samplesAtOnce(batch.text, for: .training)
        pool.forEachShare(of: batch.count, inPiecesOf: pieces) { lane, range in
            var part = ObjectivePart(
                batch.rows(range),
                draws: draws.rows(range),
                student: networks.studentTransformer,
                batchCount: batch.count,
                step: stepCount,
                turn: turn,
                inference: lane.inference
            )
            let gradients = (studentGradients[lane.index], criticGradients[lane.index])
            let tape = lane.tape
            tape.beginStep(differentiating: gradients.0, gradients.1)
            defer { tape.reset() }
            let terms = objective.terms(&part, on: tape)
            if turn.updatesStudent { tape.backward(from: terms.student, to: gradients.0) }
            if turn.updatesCritic { tape.backward(from: terms.critic, to: gradients.1) }
            sums[lane.index] += PartialLosses(terms, of: part)
        }
        return sums.values.reduce(into: PartialLosses()) { $0 += $1 }
    }
}

extension Tape {
    /// Pulls the weighted sum of terms back to one set of parameters.
    fileprivate func backward(from terms: [ObjectiveTerms.Term], to gradients: ParameterGradients) {
        guard !terms.isEmpty else { return }
        backward(from: weightedSum(terms.map { ($0.weight, $0.loss) }), to: gradients)
    }
}
