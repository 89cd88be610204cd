import NeuralNetwork
import Tensors

/// How a teacher is trained; equal settings and pictures make equal teachers.
package struct PretrainingSettings: Sendable, Codable, Equatable {
    /// Updates in all.
    package var steps: Int
    /// Pictures of an update.
    package var batchSize = 64
    /// The highest; ``learningRate(ofStep:)`` says how it rises and falls.
    package var learningRate: Float = 1e-3
    /// Updates over which the learning rate rises from zero.
    package var warmupSteps = 200
    package var weightDecay: Float = 0.01
    /// Largest norm of a gradient; longer ones are scaled down to it.
    package var gradientClip: Float = 1
    package var noiseLevels = NoiseLevels()
    /// Share of captions that are replaced by the empty one, so that the model can be guided (Ho & Salimans 2022).
    package var captionDropout: Float = 0.1
    /// How much the running mean keeps of itself in an update, at most.
    package var averageDecay: Float = 0.9995
    /// Decides noise, noise levels, which captions are dropped, and which pictures are drawn.
    package var seed: UInt64 = 0

    package init(steps: Int) { self.steps = steps }

    /// AdamW at the highest learning rate; what β₂ = .99 forgets, the gradients of early training, is soon out of date.
    var optimizer: AdamW.Settings {
        AdamW.Settings(
            learningRate: learningRate,
            beta2: 0.99,
            weightDecay: weightDecay,
            gradientClip: gradientClip
        )
    }

    /// The learning rate of an update counted from 0: a linear rise, then half a cosine down to zero behind the last
    /// update (Loshchilov & Hutter 2017, without restarts).
    package func learningRate(ofStep step: Int) -> Float {
        guard step >= warmupSteps else {
            return learningRate * Float(step + 1) / Float(warmupSteps)
        }
        let progress = Float(step - warmupSteps) / Float(max(1, steps - warmupSteps))
        return learningRate * min(progress, 1).raisedCosine
    }

    /// How much the running mean keeps of itself behind so many updates: a young one forgets its start.
    package func averageDecay(afterUpdates count: Int) -> Float {
        min(averageDecay, Float(1 + count) / Float(10 + count))
    }
}
