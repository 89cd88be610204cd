import Tensors
import TestSupport
import Testing

@testable import Distillation

@Suite struct DistributionMatchingTests {
    /// Gradients of the loss for pictures of N(2, 1), of a teacher of N(0, 1).
    private func gradients(fake: GaussianNetwork, pictures: [Float], sigma: Float) -> [Float] {
        let matching = DistributionMatching(teaching: Toy.teaching(GaussianNetwork()))
        let tape = Tape()
        tape.beginStep()
        let leaf = tape.variable(Toy.latents(pictures))
        let zeros = [Float](repeating: 0, count: pictures.count)
        var part = Toy.part(Toy.batch(zeros, zeros, from: 1, to: 0), student: fake)
        let loss = matching.loss(
            &part,
            leaf,
            sigmas: zeros.map { _ in sigma },
            noise: Toy.latents(zeros.map { _ in 0.5 }),
            scales: zeros.map { _ in 1 },
            fake: { $0.studentValue(at: $1, $2) },
            on: tape
        )
        tape.backward(from: loss)
        return tape.gradient(of: leaf).values
    }

    @Test
    func
        `between two Gaussians the gradient is that of their scores, over the distance to the teacher's guess`()
    {
        let (t, m): (Float, Float) = (0.4, 2)
        let pictures: [Float] = [1.5, 3]
        let found = gradients(fake: GaussianNetwork(mean: m), pictures: pictures, sigma: t)
        let variance: Float = (1 - t) * (1 - t) + t * t
        for (gradient, x) in zip(found, pictures) {
            // E[x₀ | z] of the teacher is (1 − t) z / variance; the fake one differs by m t² / variance.
            let z: Float = (1 - t) * x + t * 0.5
            let real: Float = (1 - t) * z / variance
            let apart: Float = m * t * t / variance
            let expected: Float = apart / abs(x - real) / Float(pictures.count)
            #expect(abs(gradient - expected) < 1e-5)
        }
        #expect(found.allSatisfy { $0 > 0 }, "pictures that lie too high are moved down")
    }

    @Test func `a student whose pictures are the teacher's is left alone`() {
        let found = gradients(fake: GaussianNetwork(), pictures: [1.5, -3], sigma: 0.7)
        #expect(found.allSatisfy { abs($0) < 1e-6 })
    }

    @Test func `DMD's student learns in every fifth update, its fake network in all`() {
        let dmd = DMD(
            settings: TrainingSettings(),
            matching: DistributionMatching(teaching: Toy.teaching(GaussianNetwork())),
            fake: GaussianNetwork()
        )
        #expect((0..<11).filter { dmd.turn(step: $0).updatesStudent } == [0, 5, 10])
        #expect((0..<11).allSatisfy { dmd.turn(step: $0).updatesCritic })
    }

    @Test
    func `DMD asks the student where its own sampling comes by, and its fake network learns the way there`() {
        let (student, fake) = (ConstantNetwork(0.5), ConstantNetwork(1))
        let dmd = DMD(
            settings: TrainingSettings(),
            matching: DistributionMatching(teaching: Toy.teaching(GaussianNetwork())),
            fake: fake
        )
        // The second of four levels, σ = .9, after one jump from noise 2: data at 2 − .5 = 1.5, back up with 4.
        let noises = [0, 3, 2, 4, 0, 0].map { Toy.latents([Float($0)]) }
        let draws = ObjectiveDraws(uniforms: [[0.5], [0.5], [0.5]], noises: noises, shared: [0.4])
        let turn = dmd.turn(step: 1)
        var part = Toy.part(Toy.batch([0], [0], from: 1, to: 0), draws, student: student, step: 1, turn: turn)
        let terms = dmd.terms(&part, on: Tape())
        #expect(student.asked.map(\.sigma) == [1, 0.9])
        let state: Float = 0.1 * 1.5 + 0.9 * 4
        #expect(abs(student.asked[1].state - state) < 1e-5)
        // Pictures at state − .9 · .5; the velocity from there to noise 3 is missed by 1 − (3 − picture).
        let miss = 1 - (3 - (state - 0.45))
        #expect(terms.student.isEmpty && terms.critic.map(\.name) == ["fake_velocity"])
        #expect(abs(terms.critic[0].loss.value.scalar - miss * miss) < 1e-4)
        #expect(part.evaluations == EvaluationCounts(student: 2, critic: 1))
    }
}
