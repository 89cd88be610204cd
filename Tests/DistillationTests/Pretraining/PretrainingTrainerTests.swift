import DiffusionModels
import Distillation
import NeuralNetwork
import Tensors
import TestSupport
import Testing

/// A small teacher in training.
@Suite struct PretrainingTrainerTests {
    private let small: SmallModel
    private let model: TrainableModel
    private let captions = ["a cat", "two dogs", "a red heart", "a pizza above a car", "a blue circle"]

    init() throws {
        small = try SmallModel()
        model = try TrainableModel(path: small.path)
    }

    private func trainer(
        lanes: Int = 1,
        _ change: (inout PretrainingSettings) -> Void = { _ in }
    ) throws -> PretrainingTrainer {
        var settings = PretrainingSettings(steps: 60)
        settings.warmupSteps = 4
        settings.learningRate = 3e-3
        change(&settings)
        return try PretrainingTrainer(
            model,
            from: model.drawWeights(seed: 8),
            settings: settings,
            pool: LanePool(count: lanes)
        )
    }

    /// Five pictures of one colour each, with their captions.
    private var pictures: Tensor {
        .stacked((0..<5).map { Tensor(repeating: Float($0) / 2 - 1, shape: [3, 32, 32]) })
    }

    @Test func `the loss falls on pictures seen again and again, and the running mean follows`() throws {
        var trainer = try trainer()
        let start = trainer.average.copied()
        var losses: [Double] = []
        while trainer.stepCount < 60 {
            losses.append(trainer.step(pictures, captions: model.tokens(of: captions)).loss)
        }
        let (first, last) = (losses.prefix(10).reduce(0, +), losses.suffix(10).reduce(0, +))
        #expect(last < 0.7 * first, "\(first / 10) to \(last / 10)")
        let parameters = trainer.parameters.values
        #expect(trainer.average.squaredDistance(to: parameters) < start.squaredDistance(to: parameters))
        #expect(trainer.average.squaredDistance(to: parameters) > 0)
    }

    @Test func `every component is trained, and what no network reads is not`() throws {
        var trainer = try trainer()
        let names = trainer.parameters.layout.entries.map(\.name)
        #expect(!names.contains("transformer/pos_embed.pos_embed"))
        #expect(!names.contains("transformer/transformer_blocks.1.attn.add_q_proj.weight"))
        let before = Dictionary(
            uniqueKeysWithValues: trainer.parameters.tensors.map { ($0.name, $0.tensor.values) }
        )
        for _ in 0..<2 { _ = trainer.step(pictures, captions: model.tokens(of: captions)) }
        for (name, tensor) in trainer.parameters.tensors {
            #expect(before[name] != tensor.values, "\(name)")
        }
    }

    @Test func `the running mean is d times itself and 1 - d times the parameters`() throws {
        var trainer = try trainer()
        let start = trainer.average.copied()
        _ = trainer.step(pictures, captions: model.tokens(of: captions))
        // d = (1 + 1) / (10 + 1) behind the first update.
        let expected = start.scaled(by: 2 / 11).adding(trainer.parameters.values, scaledBy: 9 / 11)
        #expect(relativeError(trainer.average, expected) < 1e-6)
        #expect(relativeError(trainer.average, start) > 1e-6)
    }

    @Test func `two lanes make the update of one, up to rounding`() throws {
        var (one, two) = (try trainer(lanes: 1), try trainer(lanes: 2))
        let reports = [
            one.step(pictures, captions: model.tokens(of: captions)),
            two.step(pictures, captions: model.tokens(of: captions)),
        ]
        #expect(abs(reports[0].loss / reports[1].loss - 1) < 1e-5)
        #expect(abs(reports[0].gradientNorm / reports[1].gradientNorm - 1) < 1e-4)
        #expect(relativeError(two.optimizer.firstMoment, one.optimizer.firstMoment) < 1e-4)
    }

    @Test func `an update follows from the seed and its number alone`() throws {
        var (one, again) = (try trainer(), try trainer())
        let other = try trainer { $0.seed = 1 }
        var trainers = [one, again, other]
        let losses = trainers.indices.map {
            trainers[$0].step(pictures, captions: model.tokens(of: captions)).loss
        }
        #expect(losses[0] == losses[1] && losses[0] != losses[2])
        (one, again) = (trainers[0], trainers[1])
        let next = [
            one.step(pictures, captions: model.tokens(of: captions)),
            again.step(pictures, captions: model.tokens(of: captions)),
        ]
        #expect(next[0] == next[1] && next[0].loss != losses[0])
    }

    @Test func `captions that are all dropped are the empty one`() throws {
        func loss(dropping: Float, _ captions: [String]) throws -> Double {
            var trainer = try trainer { $0.captionDropout = dropping }
            return trainer.step(pictures, captions: model.tokens(of: captions)).loss
        }
        let empty = [String](repeating: "", count: 5)
        #expect(try loss(dropping: 1, captions) == loss(dropping: 0, empty))
        #expect(try loss(dropping: 0, captions) != loss(dropping: 0, empty))
    }

    @Test func `a gradient that is not finite changes nothing but the number of batches`() throws {
        var trainer = try trainer()
        let before = (trainer.parameters.values.values, trainer.average.values)
        let broken = Tensor(repeating: .infinity, shape: [5, 3, 32, 32])
        let report = trainer.step(broken, captions: model.tokens(of: captions))
        #expect(!report.gradientNorm.isFinite)
        #expect(trainer.parameters.values.values == before.0 && trainer.average.values == before.1)
        #expect(trainer.stepCount == 1 && trainer.optimizer.stepCount == 0)
    }
}
