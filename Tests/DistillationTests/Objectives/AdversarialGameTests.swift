import FlowMatching
import Tensors
import Testing

@testable import Distillation

/// What is judged, and what follows from it, for a judge whose logit is the state itself.
@Suite struct AdversarialGameTests {
    private let judge = ScaleJudge()

    private func terms(
        real: [Float],
        fake: [Float],
        noise: [Float] = [],
        matching: Float? = nil,
        _ change: (inout TrainingSettings) -> Void = { _ in }
    ) -> ObjectiveTerms {
        var settings = TrainingSettings()
        change(&settings)
        let game = AdversarialGame(judge, settings, featureMatchingWeight: matching)
        let zeros = real.map { _ in Float(0) }
        let draws = ObjectiveDraws(noises: noise.isEmpty ? [] : [Toy.latents(noise)])
        var part = Toy.part(Toy.batch(zeros, zeros, from: 1, to: 0.5), draws, student: ConstantNetwork(0))
        return game.terms(
            &part,
            real: Toy.latents(real),
            fake: Variable(constant: Toy.latents(fake)),
            sigmas: zeros.map { _ in 0.5 },
            on: Tape()
        )
    }

    @Test func `feature matching is the mean square of each block's difference, summed over blocks`() {
        let terms = terms(real: [1, 3], fake: [2, 5], matching: 0.7)
        // Features x: (1 + 4) / 2; features 2 x: four times that.
        let matching = terms.student[1]
        #expect(matching.name == "feature_matching" && matching.weight == 0.7)
        #expect(matching.loss.value.scalar == 12.5)
    }

    @Test func `the hinge's game of some states is that of their logits`() {
        let terms = terms(real: [2, 0], fake: [-1, 0.5]) { $0.adversarialWeight = 0.3 }
        #expect(terms.student.map(\.name) == ["adversarial"] && terms.student[0].weight == 0.3)
        #expect(terms.student[0].loss.value.scalar == 0.25)
        #expect(terms.critic.map(\.name) == ["discriminator"])
        // (0 + 1) / 2 of the real ones, (0 + 1.5) / 2 of the fake ones.
        #expect(terms.critic[0].loss.value.scalar == 1.25)
        #expect(terms.logits?.real == 1 && terms.logits?.fake == -0.25)
    }

    @Test func `the penalty is the square of what a tenth of noise changes around real states`() throws {
        let terms = terms(real: [2, 0], fake: [0, 0], noise: [3, -1]) { $0.penaltyWeight = 10 }
        let penalty = try #require(terms.critic.last)
        #expect(penalty.name == "r1" && penalty.weight == 10)
        // (.3² + .1²) / 2.
        #expect(abs(penalty.loss.value.scalar - 0.05) < 1e-6)
    }

    // MARK: - LADD

    private func ladd(step: Int, uniform: Float) -> ObjectiveTerms {
        var settings = TrainingSettings()
        settings.stageSteps = 10
        settings.adversarialWeight = 1
        let ladd = LADD(settings: settings, grid: Toy.grid, game: AdversarialGame(judge, settings))
        let draws = ObjectiveDraws(
            uniforms: [[uniform]],
            noises: [Toy.latents([3]), Toy.latents([-2])],
            normals: [[-1]]
        )
        var part = Toy.part(
            Toy.batch([9], [0.5], from: 1, to: 0),
            draws,
            student: student,
            step: step,
            turn: ladd.turn(step: step)
        )
        return ladd.terms(&part, on: Tape())
    }

    private let student = ConstantNetwork(0.25)

    @Test func `LADD judges clean latents and the student's jump to them, both with the same noise again`() {
        let terms = ladd(step: 10, uniform: 0.5)
        // .5 of (.4, .2, .2, .2) is the second segment, which starts at σ = .9: .1 · .5 + .9 · 3.
        #expect(student.asked.map(\.sigma) == [0.9])
        #expect(abs(student.asked[0].state - 2.75) < 1e-6)
        // It jumps to 2.75 − .9 · .25; judged at logistic(1 − 1) = .5 with noise −2.
        let (real, fake): (Float, Float) = (0.5 * 0.5 - 1, 0.5 * 2.525 - 1)
        let hinge: Float = 1 - real + max(0, 1 + fake)
        #expect(judge.asked.map(\.sigmas) == [[0.5], [0.5]])
        #expect(abs(judge.asked[0].states[0] - real) < 1e-6)
        #expect(abs(judge.asked[1].states[0] - fake) < 1e-6)
        #expect(terms.student.map(\.name) == ["adversarial"])
        #expect(abs(terms.student[0].loss.value.scalar + fake) < 1e-6)
        #expect(abs(terms.critic[0].loss.value.scalar - hinge) < 1e-5)
    }

    @Test(arguments: [(Float(0.1), 2), (0.5, 2), (0.6, 3), (1, 3)])
    func `LADD's first stage asks at the lower half of the levels`(uniform: Float, segment: Int) {
        _ = ladd(step: 9, uniform: uniform)
        #expect(student.asked.map(\.sigma) == [Toy.grid.start(of: segment)])
    }

    // MARK: - Flash Diffusion

    private func flash(step: Int) -> ObjectiveTerms {
        var settings = TrainingSettings()
        settings.stageSteps = 10
        settings.adversarialWeight = 0.5
        settings.matchingWeight = 0.7
        let flash = Flash(
            settings: settings,
            matching: DistributionMatching(teaching: Toy.teaching(GaussianNetwork())),
            game: AdversarialGame(judge, settings),
            shift: TimeShift(factor: 3)
        )
        let draws = ObjectiveDraws(
            uniforms: [[0.6], [0.5], [0.5]],
            noises: [Toy.latents([-2]), Toy.latents([0.5])]
        )
        var part = Toy.part(
            Toy.batch([2], [1], from: 0.75, to: 0),
            draws,
            student: student,
            step: step,
            turn: flash.turn(step: step)
        )
        return flash.terms(&part, on: Tape())
    }

    @Test func `Flash begins with the square of what the jump to data misses, and nothing else`() {
        let terms = flash(step: 0)
        #expect(terms.student.map(\.name) == ["distillation"] && terms.critic.isEmpty)
        // 2 − .75 · .25 for an end at 1.
        #expect(terms.student[0].loss.value.scalar == 0.8125 * 0.8125)
        #expect(student.asked.map(\.state) == [2] && student.asked.map(\.sigma) == [0.75])
    }

    @Test(arguments: [10, 20, 30, 99])
    func `Flash's other terms grow with its stages`(step: Int) throws {
        let (matching, adversarial): (Float, Float) =
            switch step {
            case 10: (3 / 7, 0.2)
            case 20: (5 / 7, 0.6)
            default: (1, 1)
            }
        let terms = flash(step: step)
        #expect(terms.student.map(\.name) == ["distillation", "distribution_matching", "adversarial"])
        #expect(abs(terms.student[1].weight - 0.7 * matching) < 1e-6)
        #expect(abs(terms.student[2].weight - 0.5 * adversarial) < 1e-6)
        // ½ g², g = (fake − real) / |x − real|: x = 1.8125 at σ = .5 with noise .5 is z = 1.15625, of which the
        // student makes z − .5 · .25 and a standard normal's field (1 − σ) z / ((1 − σ)² + σ²) = z.
        let (x, z): (Float, Float) = (1.8125, 1.15625)
        let gradient: Float = -0.125 / (x - z)
        let loss: Float = gradient * gradient / 2
        #expect(abs(terms.student[1].loss.value.scalar - loss) < 1e-5)
        // The third of four judged times, .5, is σ = .75 for a shift of 3: .25 x + .75 · (−2).
        #expect(judge.asked.map(\.sigmas) == [[0.75], [0.75]])
        let (real, fake): (Float, Float) = (0.25 - 1.5, 0.25 * x - 1.5)
        #expect(abs(judge.asked[0].states[0] - real) < 1e-6)
        #expect(abs(judge.asked[1].states[0] - fake) < 1e-6)
    }
}
