import NeuralNetwork
import Tensors
import TestSupport
import Testing

@Suite struct AdamWTests {
    private func makeSet(_ values: [Float]) -> ParameterSet {
        let set = ParameterSet(id: 1, layout: ParameterLayout([("w", [values.count])]))
        set.values.copy(from: Tensor(values, shape: [values.count]))
        return set
    }

    private func gradients(_ values: [Float], of set: ParameterSet) -> ParameterGradients {
        let gradients = set.makeGradients()
        gradients.flat.copy(from: Tensor(values, shape: [values.count]))
        return gradients
    }

    @Test func `three updates are those of the algorithm in double precision`() throws {
        let settings = AdamW.Settings(learningRate: 0.1, weightDecay: 0.02, gradientClip: 100)
        let set = makeSet([1, -2])
        var optimizer = try AdamW(settings, parameterCount: 2)
        var expected: [Double] = [1, -2]
        var m = [0.0, 0.0]
        var v = [0.0, 0.0]
        for step in 1...3 {
            let gradient = [0.5 * Double(step), -0.25]
            optimizer.update(set, gradients: self.gradients(gradient.map(Float.init), of: set))
            for i in 0..<2 {
                expected[i] *= 1 - 0.1 * 0.02
                m[i] = 0.9 * m[i] + 0.1 * gradient[i]
                v[i] = 0.999 * v[i] + 0.001 * gradient[i] * gradient[i]
                let mean = m[i] / (1 - (0..<step).reduce(1.0) { p, _ in p * 0.9 })
                let variance = v[i] / (1 - (0..<step).reduce(1.0) { p, _ in p * 0.999 })
                expected[i] -= 0.1 * mean / (variance.squareRoot() + 1e-8)
            }
        }
        for i in 0..<2 { #expect(abs(Double(set.values.values[i]) - expected[i]) < 1e-5) }
    }

    @Test func `a long gradient is scaled down to the clip`() throws {
        let settings = AdamW.Settings(learningRate: 0.1, beta1: 0, beta2: 0, weightDecay: 0, gradientClip: 1)
        let set = makeSet([0, 0])
        var optimizer = try AdamW(settings, parameterCount: 2)
        let norm = optimizer.update(set, gradients: gradients([30, 40], of: set))
        #expect(norm == 50)
        #expect(abs(optimizer.firstMoment.values[0] - 0.6) < 1e-6)
        #expect(abs(optimizer.firstMoment.values[1] - 0.8) < 1e-6)
    }

    @Test func `a gradient that is not finite changes nothing`() throws {
        let set = makeSet([3, 4])
        var optimizer = try AdamW(AdamW.Settings(learningRate: 0.1), parameterCount: 2)
        let norm = optimizer.update(set, gradients: gradients([.nan, 1], of: set))
        #expect(!norm.isFinite)
        #expect(set.values.values == [3, 4])
        #expect(optimizer.stepCount == 0)
    }

    @Test func `moments' age corrects their bias, and the count of updates moves the learning rate`() throws {
        func parameter(_ change: (inout AdamW) -> Void) throws -> Float {
            let settings = AdamW.Settings(learningRate: 0.1, weightDecay: 0, decaySteps: 10)
            let set = makeSet([0])
            var optimizer = try AdamW(settings, parameterCount: 1)
            change(&optimizer)
            optimizer.update(set, gradients: gradients([0.5], of: set))
            return set.values.values[0]
        }
        // A first update is as long as the learning rate, whatever the gradient.
        #expect(try abs(parameter { _ in } - -0.1) < 1e-6)
        // The sixth of ten updates that the rate falls over, with new moments.
        #expect(try abs(parameter { $0.resume(stepCount: 5) } - -0.05) < 1e-6)
        // Moments of zero that are taken for old ones make it .1 / √.001 times as long.
        #expect(try abs(parameter { $0.resume(momentAge: 1_000_000) } - -0.316_23) < 1e-4)
    }

    @Test func `it finds the bottom of a parabola`() throws {
        let set = makeSet([5, -3])
        var optimizer = try AdamW(AdamW.Settings(learningRate: 0.1, weightDecay: 0), parameterCount: 2)
        for _ in 0..<300 { optimizer.update(set, gradients: gradients(set.values.values, of: set)) }
        #expect(set.values.sumOfSquares < 1e-3)
    }

    @Test func `the learning rate rises over the warm-up and falls to zero over the decay`() throws {
        let settings = AdamW.Settings(learningRate: 1, warmupSteps: 2, decaySteps: 8)
        #expect(
            (1...9).map(settings.learningRateFactor) == [0.5, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0]
        )
        #expect(AdamW.Settings(learningRate: 1).learningRateFactor(step: 1_000_000) == 1)
    }

    @Test func `moments in bytes find the minimum that moments in floats find`() throws {
        func distance(_ storage: AdamW.Storage) throws -> Float {
            var settings = AdamW.Settings(learningRate: 0.05, weightDecay: 0, decaySteps: 400)
            settings.storage = storage
            // Curvatures over four decades.
            let curvature = (0..<512).map { index in (0..<index % 5).reduce(Float(1)) { c, _ in c / 10 } }
            let set = makeSet(curvature.map { _ in 1 })
            var optimizer = try AdamW(settings, parameterCount: 512)
            for _ in 0..<400 {
                let gradient = zip(set.values.values, curvature).map { $0 * $1 }
                optimizer.update(set, gradients: gradients(gradient, of: set))
            }
            return set.values.values.map(abs).max() ?? .infinity
        }
        #expect(try distance(.floats) < 0.02)
        #expect(try distance(.bytes) < 0.02)
    }

    @Test func `an optimizer goes on from moments it gave away as if nothing had been`() throws {
        var settings = AdamW.Settings(learningRate: 0.1)
        settings.storage = .bytes
        let (set, other) = (makeSet([1, -2, 3]), makeSet([1, -2, 3]))
        var optimizer = try AdamW(settings, parameterCount: 3)
        optimizer.update(set, gradients: gradients([0.5, 2, -0.1], of: set))
        var resumed = try AdamW(settings, parameterCount: 3)
        other.values.copy(from: set.values)
        resumed.resume(firstMoment: optimizer.firstMoment)
        resumed.resume(secondMoment: optimizer.secondMoment)
        resumed.resume(stepCount: optimizer.stepCount)
        resumed.resume(momentAge: optimizer.momentAge)
        optimizer.update(set, gradients: gradients([-1, 0.3, 0.2], of: set))
        resumed.update(other, gradients: gradients([-1, 0.3, 0.2], of: other))
        #expect(set.values.values == other.values.values)
    }
}
