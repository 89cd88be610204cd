import Checkpoints
import DiffusionModels
import Distillation
import FlowMatching
import Tensors
import TestSupport
import Testing

@Suite struct OnlineTrajectoryAlignmentTests {
    @Test func `guided sampling from the reference noise is that of diffusers`() throws {
        let folder = try ModelFolder(path: Repository.teacher)
        let reference = try SafetensorsFile(path: Repository.fixture("guided.safetensors"))
        let noise = try reference.tensor(named: "noise")
        let tape = Tape()
        let prompts = try ReferencePrompts.all()
        let schedules: [(String, SigmaSchedule)] = [
            ("rectified28", .rectified(stepCount: 28, shift: 3)),
            ("rectified4", .rectified(stepCount: 4, shift: 3)), ("stock4", .stock(stepCount: 4, shift: 3)),
        ]
        for (name, schedule) in schedules {
            let sampler = FewStepSampler(
                try folder.makeTransformer(),
                schedule: schedule,
                guidanceScale: 3
            )
            let latents = sampler.sample(
                from: noise,
                conditional: try folder.text.encode(prompts, on: tape),
                unconditional: try folder.text.encode([""], on: tape),
                pool: LanePool(count: 2)
            )
            let expected = try reference.tensor(named: "expected." + name)
            #expect(relativeError(latents, expected) < 1e-3, "\(name)")
        }
    }

    @Test func `the states of a trajectory are the edges of one whole solve`() throws {
        let fixture = try DistillationFixture()
        let batch = try fixture.rollOut()
        #expect(batch.segments == [0, 1, 2, 3] && batch.states.shape == [5, 3, 3, 32, 32])
        for (place, sample) in fixture.samples.enumerated() {
            #expect(batch.start(0, sample: place).values == sample.noise([3, 32, 32], seed: 21).values)
            for segment in 0..<3 {
                let end = batch.end(segment, sample: place).values
                #expect(end == batch.start(segment + 1, sample: place).values)
            }
        }
    }

    @Test func `anyone who solves a batch gets the same bytes`() throws {
        let fixture = try DistillationFixture()
        #expect(try fixture.rollOut().states.values == fixture.rollOut().states.values)
    }

    @Test func `however many lanes solve a batch, the bytes are the same`() throws {
        let fixture = try DistillationFixture()
        let alone = try fixture.rollOut().states.values
        #expect(try fixture.rollOut(lanes: 2).states.values == alone)
        #expect(try fixture.rollOut(lanes: 4).states.values == alone)
    }

    @Test func `a teacher in bfloat16 stays near its trajectory`() throws {
        let fixture = try DistillationFixture { $0.stepsPerSegment = 8 }
        let exact = try fixture.rollOut()
        let rounded = try fixture.rollOut(precision: .bfloat16)
        let end = exact.states.row(exact.states.shape[0] - 1)
        let error = relativeError(rounded.states.row(exact.states.shape[0] - 1), end)
        #expect(error > 1e-6 && error < 3e-2, "relative difference after 32 steps: \(error)")
    }

    @Test func `in segment mode a batch holds one segment and the teacher rolls no further`() throws {
        let whole = try DistillationFixture()
        let fixture = try DistillationFixture { $0.reuse = .segment }
        let batch = try fixture.rollOut()
        #expect(batch.segments.count == 1 && batch.states.shape[0] == 2)
        let segment = batch.segments[0]
        let states = try whole.rollOut()
        #expect(batch.start(0, sample: 1).values == states.start(segment, sample: 1).values)
        let guidance = Guidance(scale: 3, sampleCount: 1)
        #expect(
            fixture.alignment.evaluations(for: fixture.samples, guidance: guidance) == 2 * 2 * (segment + 1)
        )
    }

    @Test func `without alignment segments start at clean latents mixed with noise`() throws {
        let aligned = try DistillationFixture().rollOut()
        let fixture = try DistillationFixture { $0.onlineAlignment = false }
        let batch = try fixture.rollOut()
        #expect(!batch.isChained && batch.states.shape[0] == 8)
        let sample = fixture.samples[1]
        let clean = aligned.end(3, sample: 1)
        let noise = sample.offTrajectoryNoise([3, 32, 32], seed: 21)
        let sigma = fixture.alignment.grid.start(of: 2)
        let expected = clean.scaled(by: 1 - sigma).adding(noise, scaledBy: sigma)
        #expect(relativeError(batch.start(2, sample: 1), expected) < 1e-6)
    }

    @Test func `guidance is drawn once a sample within its range`() {
        let scales = (0..<200).map {
            PromptSample(promptID: $0, sample: 1, text: "").guidance(in: 7...13, seed: 5)
        }
        #expect(scales.allSatisfy { (7...13).contains($0) })
        #expect((scales.min() ?? 0) < 7.3 && (scales.max() ?? 0) > 12.7)
        #expect(PromptSample(promptID: 3, sample: 1, text: "").guidance(in: 7...13, seed: 5) == scales[3])
    }
}
