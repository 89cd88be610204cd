import Distillation
import Foundation
import Tensors
import Testing

/// How noise levels are drawn, how the learning rate goes, and what the running mean keeps.
@Suite struct PretrainingSettingsTests {
    @Test func `logits of noise levels have the mean and deviation asked for`() {
        var stream = RandomStream(key: 5, stream: 0)
        let levels = NoiseLevels(mean: 0.3, deviation: 1.1, uniformShare: 0).draw(20_000, from: &stream)
        #expect(levels.allSatisfy { $0 > 0 && $0 < 1 })
        let logits = levels.map { Double($0) }.map { log($0 / (1 - $0)) }
        let mean = logits.reduce(0, +) / 20_000
        let variance = logits.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
        #expect(abs(mean - 0.3) < 0.03)
        #expect(abs(variance.squareRoot() - 1.1) < 0.03)
    }

    @Test func `the uniform share is uniform and as large as asked for`() {
        var stream = RandomStream(key: 6, stream: 0)
        let uniform = NoiseLevels(uniformShare: 1).draw(20_000, from: &stream).map { Double($0) }
        #expect(abs(uniform.reduce(0, +) / 20_000 - 0.5) < 0.01)
        #expect(abs(uniform.reduce(0) { $0 + $1 * $1 } / 20_000 - 1.0 / 3) < 0.01)
        // A logit-normal level of this mean is all but 1; those that are not are the uniform ones.
        let mixed = NoiseLevels(mean: 12, deviation: 0.1, uniformShare: 0.25).draw(20_000, from: &stream)
        #expect(abs(Double(mixed.filter { $0 < 0.999 }.count) / 20_000 - 0.25) < 0.02)
    }

    @Test func `the learning rate rises to its height and falls as half a cosine`() {
        var settings = PretrainingSettings(steps: 1100)
        settings.warmupSteps = 100
        settings.learningRate = 2e-3
        func rate(_ step: Int) -> Float { settings.learningRate(ofStep: step) / 2e-3 }
        #expect(abs(rate(0) - 0.01) < 1e-6)
        #expect(abs(rate(49) - 0.5) < 1e-6)
        #expect(rate(99) == 1 && rate(100) == 1)
        #expect(abs(rate(600) - 0.5) < 1e-6)
        #expect(abs(rate(350) - 0.853553) < 1e-5)
        #expect(rate(1099) < 1e-5 && rate(1099) > 0)
        settings.warmupSteps = 0
        #expect(rate(0) == 1)
    }

    @Test func `a young running mean forgets its start`() {
        let settings = PretrainingSettings(steps: 1)
        #expect(settings.averageDecay(afterUpdates: 1) == 2.0 / 11)
        #expect(settings.averageDecay(afterUpdates: 90) == 91.0 / 100)
        #expect(settings.averageDecay(afterUpdates: 1_000_000) == 0.9995)
    }
}
