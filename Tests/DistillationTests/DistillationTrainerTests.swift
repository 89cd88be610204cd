import DiffusionModels
import Distillation
import NeuralNetwork
import Tensors
import TestSupport
import Testing

@Suite struct DistillationTrainerTests {
    @Test func `before any update the losses are what the mathematics says`() throws {
        let fixture = try DistillationFixture()
        var trainer = try fixture.makeTrainer()
        var random = RandomStream(key: 1, stream: 1)
        var pool = fixture.makePool(try fixture.rollOut())
        let (batch, _, _) = try #require(pool.draw(4, random: &random))
        let report = trainer.step(batch, random: &random)
        // A head that ends in zero says 0 of everything: hinge 1 + 1, and nothing for the student.
        #expect(report["discriminator"] == 2)
        #expect(report["adversarial"] == 0)
        #expect(report.logits?.real == 0 && report.logits?.fake == 0)
        #expect(report.losses.filter { $0.value > 0 }.count == 3)
        #expect(report.outcome == .updated)
    }

    @Test func `a student that has learned nothing is the teacher, bit for bit`() throws {
        let fixture = try DistillationFixture()
        let trainer = try fixture.makeTrainer()
        let tape = Tape()
        let latents = Variable(constant: randomTensor([3, 3, 32, 32], seed: 8))
        func velocity(_ network: VelocityTransformer) -> [Float] {
            network(latents: latents, text: TextCondition(fixture.text), sigmas: [1, 0.6, 0.1], on: tape)
                .value
                .values
        }
        let teacher = try fixture.folder.makeTransformer()
        #expect(velocity(trainer.networks.studentTransformer) == velocity(teacher))
    }

    @Test func `updates move the student and leave the teacher as it was`() throws {
        let fixture = try DistillationFixture()
        var trainer = try fixture.makeTrainer(training: { $0.adversarialStartStep = 2 })
        var random = RandomStream(key: 1, stream: 2)
        let before = fixture.folder.weights.stored.mapValues(\.floats.values)
        let adapters = trainer.networks.student.parameters.values.values
        let judge = trainer.networks.critic.parameters.values.values
        var pool = fixture.makePool(try fixture.rollOut())
        for step in 0..<3 {
            let (batch, _, _) = try #require(pool.draw(4, random: &random))
            let report = trainer.step(batch, random: &random)
            #expect((report["discriminator"] == nil) == (step < 2))
        }
        #expect(trainer.networks.student.parameters.values.values != adapters)
        #expect(trainer.networks.critic.parameters.values.values != judge)
        #expect(fixture.folder.weights.stored.mapValues(\.floats.values) == before)
    }

    @Test func `the distillation loss falls on segments seen again and again`() throws {
        let fixture = try DistillationFixture()
        var trainer = try fixture.makeTrainer(
            training: {
                $0.adversarialWeight = 0
                $0.featureMatchingWeight = 0
            }
        )
        var random = RandomStream(key: 1, stream: 3)
        var pool = fixture.makePool(try fixture.rollOut(), uses: 100)
        var losses: [Double] = []
        for _ in 0..<24 {
            let (batch, _, _) = try #require(pool.draw(6, random: &random))
            losses.append(try #require(trainer.step(batch, random: &random)["distillation"]))
        }
        let first: Double = losses.prefix(6).reduce(0, +)
        let last: Double = losses.suffix(6).reduce(0, +)
        #expect(last < 0.8 * first)
    }

    @Test func `two lanes make the update of one, up to rounding`() throws {
        let fixture = try DistillationFixture()
        let states = try fixture.rollOut()
        func update(lanes: Int) throws -> (StepReport, Tensor) {
            var trainer = try fixture.makeTrainer(lanes: lanes)
            var random = RandomStream(key: 1, stream: 4)
            var pool = fixture.makePool(states)
            let (batch, _, _) = try #require(pool.draw(5, random: &random))
            let report = trainer.step(batch, random: &random)
            return (report, trainer.studentOptimizer.firstMoment)
        }
        let one = try update(lanes: 1)
        let two = try update(lanes: 2)
        #expect(one.0.losses.map(\.name) == two.0.losses.map(\.name))
        for (loss, other) in zip(one.0.losses, two.0.losses) {
            #expect(abs(loss.value - other.value) <= 1e-4 * loss.value, "\(loss.name)")
        }
        #expect(relativeError(two.1, one.1) < 1e-4)
    }

    @Test func `blocks computed twice make the update of blocks kept`() throws {
        let fixture = try DistillationFixture()
        let states = try fixture.rollOut()
        func update(recomputing: Bool) throws -> (StepReport, Tensor, Tensor) {
            var trainer = try fixture.makeTrainer(recomputing: recomputing)
            var random = RandomStream(key: 1, stream: 6)
            var pool = fixture.makePool(states)
            let (batch, _, _) = try #require(pool.draw(3, random: &random))
            let report = trainer.step(batch, random: &random)
            return (report, trainer.studentOptimizer.firstMoment, trainer.discriminatorOptimizer.secondMoment)
        }
        let kept = try update(recomputing: false)
        let twice = try update(recomputing: true)
        #expect(twice.0.losses == kept.0.losses)
        #expect(kept.1.sumOfSquares > 0 && kept.2.sumOfSquares > 0)
        #expect(relativeError(twice.1, kept.1) < 1e-5)
        #expect(relativeError(twice.2, kept.2) < 1e-5)
    }

    @Test func `the same segments and stream make the same student, bit for bit`() throws {
        let fixture = try DistillationFixture()
        let states = try fixture.rollOut()
        func train() throws -> [Float] {
            var trainer = try fixture.makeTrainer()
            var random = RandomStream(key: 1, stream: 5)
            var pool = fixture.makePool(states)
            for _ in 0..<2 {
                let (batch, _, _) = try #require(pool.draw(2, random: &random))
                _ = trainer.step(batch, random: &random)
            }
            return trainer.networks.student.parameters.values.values
        }
        #expect(try train() == train())
    }
}
