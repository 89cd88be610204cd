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
    package private(set) var studentOptimizer: AdamW
    package private(set) var discriminatorOptimizer: AdamW
    private let pool: LanePool
    private let studentGradients: [ParameterGradients]
    private let discriminatorGradients: [ParameterGradients]

    /// - Parameters:
    ///   - networks: written in place by every update.
    ///   - pool: lanes that share each update.
    package init(_ networks: TrainableNetworks, settings: TrainingSettings, pool: LanePool) {
        self.networks = networks
        self.settings = settings
        self.pool = pool
        let student = networks.adapters.parameters
        let discriminator = networks.discriminator.parameters
        studentOptimizer = AdamW(settings.optimizer, parameterCount: student.layout.count)
        discriminatorOptimizer = AdamW(
            settings.discriminatorOptimizer,
            parameterCount: discriminator.layout.count
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
        let students = updateStudent(batch, places: places, isAdversarial: isAdversarial)
        report.distillation = students.reduce(0) { $0 + $1.distillation }
        report.adversarial = students.reduce(0) { $0 + $1.adversarial }
        report.featureMatching = students.reduce(0) { $0 + $1.featureMatching }
        report.gradientNorm = studentOptimizer.update(
            networks.adapters.parameters,
            gradients: .sum(studentGradients)
        )
        if !report.gradientNorm.isFinite { report.outcome = .nonFiniteGradient }
        guard isAdversarial else { return report }

        let judged = updateDiscriminator(batch, states: students.compactMap(\.states))
        report.discriminator = judged.reduce(0) { $0 + $1.loss }
        report.realLogit = judged.reduce(0) { $0 + $1.realLogit }
        report.fakeLogit = judged.reduce(0) { $0 + $1.fakeLogit }
        let norm = discriminatorOptimizer.update(
            networks.discriminator.parameters,
            gradients: .sum(discriminatorGradients)
        )
        if !norm.isFinite { report.outcome = .nonFiniteGradient }
        return report
    }

    private func updateStudent(
        _ batch: SegmentBatch,
        places: [Float]?,
        isAdversarial: Bool
    ) -> [StudentUpdate.Result] {
        let update = StudentUpdate(
            student: networks.student,
            discriminator: isAdversarial ? networks.discriminator : nil,
            adversarialWeight: settings.adversarialWeight,
            featureMatchingWeight: settings.featureMatchingWeight,
            batchCount: batch.count
        )
        return inLanes(of: batch.count, gradients: studentGradients, .init()) { lane, range, gradients in
            update(
                batch.rows(range),
                places: places.map { Array($0[range]) },
                gradients: gradients,
                on: lane.tape
            )
        }
    }

    private func updateDiscriminator(_ batch: SegmentBatch, states: [Tensor]) -> [DiscriminatorUpdate.Result]
    {
        let update = DiscriminatorUpdate(discriminator: networks.discriminator, batchCount: batch.count)
        let states = Tensor.concatenated(states)
        return inLanes(of: batch.count, gradients: discriminatorGradients, .init()) {
            lane,
            range,
            gradients in
            update(batch.rows(range), states: states.rows(range), gradients: gradients, on: lane.tape)
        }
    }

    /// Runs `body` on every lane's share with that lane's gradients, zeroed; results in lane order.
    private func inLanes<Result>(
        of count: Int,
        gradients: [ParameterGradients],
        _ empty: Result,
        _ body: (Lane, Range<Int>, ParameterGradients) -> Result
    ) -> [Result] {
        for gradient in gradients { gradient.flat.fill(0) }
        let results = LaneResults(repeating: empty, count: pool.lanes.count)
        pool.forEachShare(of: count) { lane, range in
            results[lane.index] = body(lane, range, gradients[lane.index])
        }
        return results.values
    }
}
