import DiffusionModels
import FlowMatching
import NeuralNetwork
import Tensors
import TestSupport
import Testing

@testable import Distillation

/// Every method with the shipped teacher, a small student and real trajectories.
@Suite struct MethodTests {
    private func update(
        _ method: Method,
        lanes: Int = 1,
        network: ((inout NetworkSettings) -> Void)? = nil,
        training: ((inout TrainingSettings) -> Void)? = nil
    ) throws -> (report: StepReport, trainer: DistillationTrainer) {
        let fixture = try DistillationFixture(method)
        var trainer = try fixture.makeTrainer(method, lanes: lanes, network: network, training: training)
        var random = RandomStream(key: 4, stream: 1)
        var pool = fixture.makePool(try fixture.rollOut())
        let (batch, _, _) = try #require(pool.draw(3, random: &random))
        let report = trainer.step(batch, random: &random)
        return (report, trainer)
    }

    /// Names of the losses, and evaluations a sample, of one full update with a guided teacher.
    private static let expectations: [Method: (losses: [String], evaluations: EvaluationCounts)] = [
        .flowsteer: (
            ["distillation", "adversarial", "feature_matching", "discriminator"],
            EvaluationCounts(student: 2, critic: 2)
        ),
        .perflow: (["distillation"], EvaluationCounts(student: 1)),
        .reflow: (["distillation"], EvaluationCounts(student: 1)),
        .consistency: (["consistency"], EvaluationCounts(student: 2, teacher: 2)),
        .pcm: (
            ["consistency", "adversarial", "feature_matching", "discriminator"],
            EvaluationCounts(student: 2, teacher: 2, critic: 2)
        ),
        .hyperSD: (
            ["consistency", "adversarial", "discriminator"],
            EvaluationCounts(student: 2, teacher: 2, critic: 2)
        ),
        .flash: (
            ["distillation", "distribution_matching", "adversarial", "discriminator"],
            EvaluationCounts(student: 2, teacher: 2, critic: 2)
        ),
        .ladd: (["adversarial", "discriminator"], EvaluationCounts(student: 1, critic: 2)),
    ]

    @Test(arguments: Method.allCases.filter { $0 != .dmd })
    func
        `an update has the losses of its method, moves the student, and takes as many evaluations as it should`(
            method: Method
        ) throws
    {
        let expected = try #require(Self.expectations[method])
        let (report, trainer) = try update(method)
        #expect(report.outcome == .updated)
        #expect(report.losses.map(\.name) == expected.losses)
        let counts = report.evaluations
        #expect(
            counts
                == EvaluationCounts(
                    student: 3 * expected.evaluations.student,
                    teacher: 3 * expected.evaluations.teacher,
                    critic: 3 * expected.evaluations.critic
                )
        )
        // Where a discriminator says 0 everywhere LADD's student has nothing to learn yet.
        #expect((report.gradientNorm > 0) == (method != .ladd))
        #expect(trainer.studentOptimizer.stepCount == 1)
        #expect(
            trainer.discriminatorOptimizer.stepCount == (expected.losses.contains("discriminator") ? 1 : 0)
        )
    }

    @Test func `DMD's student has its turn first, and its fake network in every update`() throws {
        let fixture = try DistillationFixture(.dmd)
        var trainer = try fixture.makeTrainer(.dmd, training: { $0.criticSteps = 2 })
        var random = RandomStream(key: 4, stream: 2)
        var pool = fixture.makePool(try fixture.rollOut())
        for step in 0..<3 {
            let (batch, _, _) = try #require(pool.draw(2, random: &random))
            let report = trainer.step(batch, random: &random)
            #expect((report["distribution_matching"] != nil) == (step != 1))
            #expect(report["fake_velocity"] ?? 0 > 0 && report.outcome == .updated)
        }
        #expect(trainer.studentOptimizer.stepCount == 2 && trainer.discriminatorOptimizer.stepCount == 3)
        #expect(trainer.stepCount == 3)
    }

    @Test func `LADD's student learns once its discriminator does`() throws {
        let fixture = try DistillationFixture(.ladd)
        var trainer = try fixture.makeTrainer(.ladd)
        var random = RandomStream(key: 4, stream: 3)
        var pool = fixture.makePool(try fixture.rollOut())
        var reports: [StepReport] = []
        for _ in 0..<2 {
            let (batch, _, _) = try #require(pool.draw(3, random: &random))
            reports.append(trainer.step(batch, random: &random))
        }
        #expect(reports[0]["discriminator"] == 2 && reports[0]["adversarial"] == 0)
        #expect(reports[1].gradientNorm > 0)
    }

    @Test(arguments: [Method.flash, .dmd])
    func `the random numbers of an update do not depend on the lanes`(method: Method) throws {
        let (one, two) = (try update(method), try update(method, lanes: 2))
        #expect(one.report.losses.map(\.name) == two.report.losses.map(\.name))
        for (loss, other) in zip(one.report.losses, two.report.losses) {
            #expect(abs(loss.value - other.value) <= 1e-4 * abs(loss.value), "\(loss.name)")
        }
        #expect(one.report.evaluations == two.report.evaluations)
    }

    @Test(arguments: DiscriminatorShape.Mode.allCases)
    func `a discriminator trains all its blocks, their adapters, or its heads alone`(
        mode: DiscriminatorShape.Mode
    ) throws {
        let (report, trainer) = try update(
            .flowsteer,
            network: { network in
                network.discriminator.mode = mode
                network.discriminator.heads = .every
            }
        )
        #expect(report["discriminator"] == 2)
        let names = trainer.networks.critic.parameters.layout.entries.map(\.name)
        #expect(names.contains("head.0.exit.weight") && names.contains("head.1.exit.weight"))
        #expect(names.contains { $0.hasSuffix("lora_A.weight") } == (mode == .lora))
        #expect(names.contains("transformer_blocks.0.attn.to_q.weight") == (mode == .full))
    }

    @Test func `Wasserstein's discriminator has bounded heads`() throws {
        let (_, trainer) = try update(.flowsteer, training: { $0.adversarialLoss = .wgan })
        for (name, tensor) in trainer.networks.critic.parameters.tensors where name.hasPrefix("head.") {
            #expect(tensor.values.allSatisfy { abs($0) <= 0.01 }, "\(name)")
        }
    }

    @Test func `a trajectory trained on as a whole runs from noise to data`() throws {
        let fixture = try DistillationFixture(.reflow)
        let batch = try fixture.rollOut()
        #expect(batch.segments == [0] && batch.states.shape[0] == 2)
        #expect(fixture.alignment.spans(for: fixture.samples) == [SegmentSpan(start: 1, end: 0)])
        let whole = try DistillationFixture().rollOut()
        #expect(batch.end(0, sample: 1).values == whole.end(3, sample: 1).values)
    }

    @Test func `Flash's segments begin at an anchor or beside it and all end at data`() throws {
        let fixture = try DistillationFixture { trajectory in
            trajectory.onlineAlignment = false
            trajectory.span = .toData
        }
        let grid = fixture.alignment.grid
        var beside = 0
        for prompt in 0..<400 {
            let samples = [PromptSample(promptID: UInt64(prompt), sample: 0, text: "")]
            for (segment, span) in fixture.alignment.spans(for: samples).enumerated() {
                let anchor = grid.steps(of: segment).lowerBound
                let starts = (anchor - 1...anchor + 1).filter { $0 >= 0 }.map { grid.teacher[$0] }
                #expect(starts.contains(span.start) && span.end == 0)
                if segment == 2, span.start != grid.start(of: 2) { beside += 1 }
            }
        }
        // 2 · .1353 / (1 + 2 · .1353).
        #expect(abs(Double(beside) / 400 - 0.213) < 0.07)
    }

    @Test
    func
        `a pair of OTA with reuse costs 16 evaluations of the teacher, PeRFlow's 16 beside its clean latents`()
        throws
    {
        let guidance = Guidance(scale: 7, sampleCount: 1)
        func evaluations(_ method: Method) throws -> Int {
            let fixture = try DistillationFixture { trajectory in
                var (network, training) = (NetworkSettings(), TrainingSettings())
                method.applyDefaults(trajectory: &trajectory, network: &network, training: &training)
                trajectory.stepsPerSegment = 8
            }
            return fixture.alignment.evaluations(for: fixture.samples, guidance: guidance)
        }
        #expect(try evaluations(.flowsteer) / 4 == 16)
        #expect(try (evaluations(.perflow) - 2 * 32) / 4 == 16)
    }
}
