package import DiffusionModels
package import NeuralNetwork
package import Tensors

/// A teacher in training, its optimizer, and the running mean of its parameters, which becomes the model.
///
/// What an update draws follows from the settings' seed and the update's number, so training that goes on from a kept
/// state is training that was never interrupted, bit for bit.
package struct PretrainingTrainer {
    package let settings: PretrainingSettings
    /// Trained in place.
    package let parameters: ParameterSet
    /// The running mean of the parameters, written in place: mean ← d · mean + (1 − d) · parameters.
    package let average: Tensor
    package private(set) var optimizer: AdamW
    /// Batches taken so far, one of a gradient that was not finite too.
    package private(set) var stepCount = 0

    private let network: TrainableNetwork
    /// The caption of those that are dropped.
    private let empty: TokenizedPrompts
    private let samplesAtOnce: Int
    private let gradients: [ParameterGradients]
    private let pool: LanePool

    /// What an update came to.
    package struct Report: Sendable, Equatable {
        /// Mean squared error over the batch, before the update.
        package let loss: Double
        /// Before clipping; where it is not finite the update changed nothing.
        package let gradientNorm: Double
    }

    /// - Parameters:
    ///   - weights: where the parameters begin; the running mean begins there, too.
    ///   - pool: lanes that share each update.
    package init(
        _ model: TrainableModel,
        from weights: Weights,
        settings: PretrainingSettings,
        pool: LanePool
    ) throws {
        let trained = try model.makeParameters(from: weights)
        self.settings = settings
        self.pool = pool
        parameters = trained.set
        average = parameters.values.copied()
        network = try TrainableNetwork(model, from: trained)
        empty = model.tokens(of: [""])
        samplesAtOnce = LaneLoad.training.samples(tokens: model.jointTokens)
        optimizer = try AdamW(settings.optimizer, parameterCount: parameters.layout.count)
        gradients = pool.lanes.map { [parameters] _ in parameters.makeGradients() }
    }

    /// The running mean by the parameters' names, as views.
    package var averages: [(name: String, tensor: Tensor)] {
        parameters.layout.entries.map { entry in
            let values = average.rows(entry.offset..<entry.offset + entry.count)
            return (entry.name, values.reshaped(entry.shape))
        }
    }

    /// Goes on after so many batches; the owner has written parameters and running mean.
    ///
    /// - Parameter updates: those that changed something.
    package mutating func resume(stepCount: Int, updates: Int, firstMoment: Tensor, secondMoment: Tensor) {
        self.stepCount = stepCount
        optimizer.resume(stepCount: updates)
        optimizer.resume(momentAge: updates)
        optimizer.resume(firstMoment: firstMoment)
        optimizer.resume(secondMoment: secondMoment)
    }

    /// One update on captioned pictures.
    ///
    /// - Parameters:
    ///   - pictures: clean latents `[samples, channels, height, width]`.
    ///   - captions: one a sample.
    package mutating func step(_ pictures: Tensor, captions: TokenizedPrompts) -> Report {
        precondition(pictures.shape[0] == captions.count, "\(captions.count) captions for \(pictures.shape)")
        var stream = RandomStream(key: settings.seed ^ Self.drawPurpose, stream: UInt64(stepCount))
        let drops = stream.uniform([captions.count]).values.map { $0 <= settings.captionDropout }
        let sigmas = settings.noiseLevels.draw(captions.count, from: &stream)
        let batch = FlowMatchingBatch(pictures, noise: stream.normal(pictures.shape), sigmas: sigmas)
        let loss = differentiate(batch, captions.replacing(drops, with: empty))
        optimizer.settings.learningRate = settings.learningRate(ofStep: stepCount)
        let norm = optimizer.update(parameters, gradients: .sum(gradients, pool: pool), pool: pool)
        stepCount += 1
        if norm.isFinite { updateAverage() }
        return Report(loss: loss, gradientNorm: norm)
    }

    /// The loss of the batch; its gradients lie in the lanes' buffers.
    private func differentiate(_ batch: FlowMatchingBatch, _ captions: TokenizedPrompts) -> Double {
        ParameterGradients.clear(gradients, pool: pool)
        let losses = LaneResults(repeating: 0.0, count: pool.lanes.count)
        pool.forEachShare(of: batch.count, inPiecesOf: samplesAtOnce) { lane, range in
            let (tape, part) = (lane.tape, batch.rows(range))
            tape.beginStep(differentiating: gradients[lane.index])
            defer { tape.reset() }
            let velocities = network(
                latents: Variable(constant: part.states),
                prompts: captions.rows(range),
                sigmas: part.sigmas,
                on: tape
            )
            let loss = part.loss(of: velocities, batchCount: batch.count, on: tape)
            tape.backward(from: loss)
            losses[lane.index] += Double(loss.value.scalar)
        }
        return losses.values.reduce(0, +)
    }

    private func updateAverage() {
        let decay = settings.averageDecay(afterUpdates: optimizer.stepCount)
        pool.forEachShare(of: average.count) { _, range in
            average.rows(range).scale(by: decay)
            average.rows(range).accumulate(parameters.values.rows(range), scaledBy: 1 - decay)
        }
    }

    /// No stream of an update's draws is any of pictures, or of a run's noise.
    private static let drawPurpose: UInt64 = 0x7072_6574_7261_696E
}
