import DiffusionModels
package import NeuralNetwork
package import Tensors

/// A student and a discriminator in training, with their optimizers.
///
/// It knows nothing of a cluster: it is handed segments and updates its parameters, which the owner reads,
/// averages or writes between updates.
package struct DistillationTrainer {
    package let settings: TrainingSettings
    package let networks: TrainableNetworks
    package var studentOptimizer: AdamW
    package var discriminatorOptimizer: AdamW
    private let pool: LanePool
    private let studentGradients: [ParameterGradients]
    private let discriminatorGradients: [ParameterGradients]

    /// - Parameters:
    ///   - networks: written in place by every update.
    ///   - pool: lanes that share each update.
    ///   - memory: where the optimizers' moments lie.
    package init(
        _ networks: TrainableNetworks,
        settings: TrainingSettings,
        pool: LanePool,
        memory: StateMemory = .resident
    ) throws(FileWritingError) {
        self.networks = networks
        self.settings = settings
        self.pool = pool
        let student = networks.adapters.parameters
        let discriminator = networks.discriminator.parameters
        studentOptimizer = try AdamW(settings.optimizer, parameterCount: student.layout.count, in: memory)
        discriminatorOptimizer = try AdamW(
            settings.discriminatorOptimizer,
            parameterCount: discriminator.layout.count,
            in: memory
        )
        studentGradients = pool.lanes.map { _ in student.makeGradients() }
        discriminatorGradients = pool.lanes.map { _ in discriminator.makeGradients() }
    }

    /// Updates made so far.
    package var stepCount: Int { studentOptimizer.stepCount }

    /// One update of the student and, where it takes part, of the discriminator, on the same segments.
    ///
    /// - Parameter random: draws the places in the segments.
    package mutating func step(_ batch: SegmentBatch, random: inout RandomStream) -> StepReport {
        var report = StepReport(step: stepCount)
        let isAdversarial = settings.isAdversarial(step: stepCount)
        let places = settings.places == .uniform ? random.uniform([batch.count]).values : nil
        let losses = differentiate(batch, places: places, isAdversarial: isAdversarial)
        report.distillation = losses.distillation
        report.gradientNorm = studentOptimizer.update(
            networks.adapters.parameters,
            gradients: .sum(studentGradients, pool: pool),
            pool: pool
        )
        if !report.gradientNorm.isFinite { report.outcome = .nonFiniteGradient }
        guard isAdversarial else { return report }

        report.adversarial = losses.adversarial
        report.featureMatching = losses.featureMatching
        report.discriminator = losses.discriminator
        report.realLogit = losses.realLogit
        report.fakeLogit = losses.fakeLogit
        let norm = discriminatorOptimizer.update(
            networks.discriminator.parameters,
            gradients: .sum(discriminatorGradients, pool: pool),
            pool: pool
        )
        if !norm.isFinite { report.outcome = .nonFiniteGradient }
        return report
    }

    /// Losses of the batch; their gradients lie in the lanes' buffers.
    private func differentiate(
        _ batch: SegmentBatch,
        places: [Float]?,
        isAdversarial: Bool
    ) -> DistillationUpdate.Losses {
        let update = DistillationUpdate(
            student: networks.student,
            discriminator: isAdversarial ? networks.discriminator : nil,
            adversarialWeight: settings.adversarialWeight,
            featureMatchingWeight: settings.featureMatchingWeight,
            batchCount: batch.count
        )
        ParameterGradients.clear(studentGradients, pool: pool)
        if isAdversarial { ParameterGradients.clear(discriminatorGradients, pool: pool) }
        let losses = LaneResults(repeating: DistillationUpdate.Losses(), count: pool.lanes.count)
        let pieces = networks.student.samplesAtOnce(batch.text, for: .training)
        pool.forEachShare(of: batch.count, inPiecesOf: pieces) { lane, range in
            losses[lane.index] += update(
                batch.rows(range),
                places: places.map { Array($0[range]) },
                gradients: (studentGradients[lane.index], discriminatorGradients[lane.index]),
                on: lane.tape
            )
        }
        return losses.values.reduce(into: DistillationUpdate.Losses()) { $0 += $1 }
    }
}
