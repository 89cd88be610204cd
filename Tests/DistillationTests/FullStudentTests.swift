import DiffusionModels
import Distillation
import NeuralNetwork
import Tensors
import TestSupport
import Testing

/// A student that trains all weights, with the shipped teacher.
@Suite struct FullStudentTests {
    private func velocity(_ network: VelocityTransformer, _ fixture: DistillationFixture) -> Tensor {
        let latents = Variable(constant: randomTensor([3, 3, 32, 32], seed: 8))
        let text = TextCondition(fixture.text)
        return network(latents: latents, text: text, sigmas: [1, 0.6, 0.1], on: Tape()).value.copied()
    }

    @Test func `a full student that has learned nothing is the teacher`() throws {
        let fixture = try DistillationFixture()
        let trainer = try fixture.makeTrainer(network: { $0.student = .full })
        let student = velocity(trainer.networks.studentTransformer, fixture)
        // Bit for bit where products read the teacher's weights as they stand, as they do the student's.
        let (folder, packed) = (fixture.folder, trainer.networks.teacher)
        let plain = try VelocityTransformer(folder.configuration, from: folder.weights)
        #expect(student.largestAbsoluteDifference(to: velocity(plain, fixture)) == 0)
        #expect(relativeError(student, velocity(packed, fixture)) < 1e-5)
    }

    @Test func `gradients reach every weight but the position table, and the teacher stays as it was`() throws
    {
        let fixture = try DistillationFixture()
        var trainer = try fixture.makeTrainer(network: { $0.student = .full })
        let before = fixture.folder.weights.stored.mapValues(\.floats.values)
        let teacher = velocity(trainer.networks.teacher, fixture)
        var random = RandomStream(key: 1, stream: 2)
        var pool = fixture.makePool(try fixture.rollOut())
        let (batch, _, _) = try #require(pool.draw(4, random: &random))
        #expect(trainer.step(batch, random: &random).outcome == .updated)

        let layout = trainer.networks.student.parameters.layout
        let moment = trainer.studentOptimizer.secondMoment
        for entry in layout.entries {
            let squares = moment.rows(entry.offset..<entry.offset + entry.count)
            #expect(squares.values.contains { $0 > 0 }, "\(entry.name) has no gradient")
        }
        // Nobody reads the text after the last block.
        let last = "transformer_blocks.\(fixture.folder.configuration.layerCount - 1)."
        let left = Set(before.keys).subtracting(layout.entries.map(\.name))
        let unread = ["attn.add_q_proj.weight", "attn.add_q_proj.bias", "attn.norm_added_q.weight"]
        #expect(left == Set(unread.map { last + $0 } + ["pos_embed.pos_embed"]))

        let student = velocity(trainer.networks.studentTransformer, fixture)
        #expect(student.largestAbsoluteDifference(to: teacher) > 0)
        #expect(velocity(trainer.networks.teacher, fixture).largestAbsoluteDifference(to: teacher) == 0)
        #expect(fixture.folder.weights.stored.mapValues(\.floats.values) == before)
    }

    @Test(arguments: [Method.pcm, .dmd])
    func `a full student learns from methods that ask the teacher, and beside a critic of adapters`(
        method: Method
    ) throws {
        let fixture = try DistillationFixture(method)
        var trainer = try fixture.makeTrainer(
            method,
            network: { $0.student = .full },
            training: {
                // Else DMD's first update is its critic's alone.
                $0.criticSteps = 1
                // Moves weights without any gradient.
                $0.optimizer.weightDecay = 0
            }
        )
        let initial = trainer.networks.student.parameters.values.values
        var random = RandomStream(key: 1, stream: 3)
        var pool = fixture.makePool(try fixture.rollOut())
        let (batch, _, _) = try #require(pool.draw(2, random: &random))
        #expect(trainer.step(batch, random: &random).outcome == .updated)
        #expect(trainer.networks.student.parameters.values.values != initial)
    }
}
