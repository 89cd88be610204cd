import DiffusionModels
import NeuralNetwork
import Tensors
import TestSupport
import Testing

@testable import Distillation

/// Switches of the discriminator and of the student, with the shipped teacher.
@Suite struct SwitchTests {
    private func update(
        drawing probabilities: [Float] = [0.4, 0.2, 0.2, 0.2],
        _ change: @escaping (inout TrainingSettings) -> Void
    ) throws -> (report: StepReport, trainer: DistillationTrainer, initial: Tensor) {
        let fixture = try DistillationFixture()
        var trainer = try fixture.makeTrainer(training: change)
        let initial = trainer.networks.student.parameters.values.copied()
        var random = RandomStream(key: 6, stream: 1)
        var pool = TrajectoryPool(
            grid: fixture.alignment.grid,
            segmentProbabilities: probabilities,
            usesPerSample: 4,
            keepsNoise: true
        )
        pool.add(try fixture.rollOut(), id: 1, text: fixture.text)
        let (batch, _, _) = try #require(pool.draw(3, random: &random))
        return (trainer.step(batch, random: &random), trainer, initial)
    }

    @Test func `a student rolled out to the first segment is where the teacher's starts`() throws {
        let segment = try update(drawing: [1, 0, 0, 0]) { $0.states = .segment }.report
        let rollout = try update(drawing: [1, 0, 0, 0]) { $0.states = .rollout }.report
        #expect(segment.losses == rollout.losses)
        #expect(segment.evaluations == rollout.evaluations)
    }

    @Test func `a student is rolled out by its own steps to later segments`() throws {
        let segment = try update(drawing: [0, 0, 0, 1]) { $0.states = .segment }.report
        let rollout = try update(drawing: [0, 0, 0, 1]) { $0.states = .rollout }.report
        #expect(segment["distillation"] == rollout["distillation"])
        #expect(segment["feature_matching"] != rollout["feature_matching"])
        #expect(rollout.evaluations.student == segment.evaluations.student + 3 * 3)
    }

    @Test func `judged states may get noise again, and the penalty is zero for a head of zeros`() throws {
        let report = try update { settings in
            settings.renoisesJudged = true
            settings.penaltyWeight = 10
        }.report
        #expect(report["discriminator"] == 2 && report["r1"] == 0 && report.outcome == .updated)
        #expect(report.evaluations.critic == 3 * 3)
    }

    @Test func `the running mean of a student is of its states after updates`() throws {
        let (_, trainer, initial) = try update { $0.averageDecay = 0.75 }
        let parameters = trainer.networks.student.parameters.values
        let expected = initial.scaled(by: 0.75).adding(parameters, scaledBy: 0.25)
        #expect(relativeError(try #require(trainer.studentAverage), expected) < 1e-6)
        #expect(trainer.studentAverage?.values != initial.values)
    }

    @Test func `a student without a running mean keeps none`() throws {
        #expect(try update { _ in }.trainer.studentAverage?.values == nil)
    }
}
