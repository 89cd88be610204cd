import Checkpoints
import NeuralNetwork
package import Tensors

/// A transformer against a reference: its velocity and, for a target, the mean squared error and its gradients.
package enum TransformerVerification {
    /// Inputs that gradients can be asked for.
    private static let inputs = ["hidden_states", "encoder_hidden_states", "pooled_projections"]
    /// Gradients that vanish but for rounding are measured against this part of the largest gradient.
    private static let leastGradient = 1e-3

    /// - Parameters:
    ///   - folder: the component's, `config.json` beside its weights.
    ///   - reference: `hidden_states` `[B, C, H, W]`, `encoder_hidden_states` `[B, T, J]`, `pooled_projections`
    ///     `[B, P]`, `timestep` `[B]` (1000 σ) to `expected.sample`; with `target`, of the sample's shape, also
    ///     `expected.loss`, `expected.grad.<input>` and `expected.grad.param.<name>`.
    package static func compare(
        folder: String,
        with reference: ReferenceFile,
        pool: LanePool
    ) throws -> [TensorComparison] {
        let configuration = try TransformerConfiguration(folder: folder)
        let weights = Weights(
            origin: folder,
            stored: try SafetensorsFolder(path: folder).storedTensors()
        )
        let wanted = try reference.outputs(
            of: .transformer,
            givenBy: ["sample", "loss"],
            gradientsOf: inputs,
            ofParameters: true
        )
        let names = Set(reference.parameterNames)
        for name in names where weights.stored[name] == nil {
            throw ModelError.missingTensor(name: name, file: folder)
        }
        let trained = TrainedWeights(base: weights, id: 0, isTrained: names.contains)
        let network = try VelocityTransformer(configuration, from: trained)
        let batch = try Batch(reference, configuration)
        var comparisons: [TensorComparison] = []
        var failure: (any Error)?
        pool.forEachShare(of: 1) { lane, _ in
            do {
                let pass = Pass(
                    network,
                    trained.set,
                    batch,
                    isRecording: wanted.contains { $0.hasPrefix("grad.") }
                )
                comparisons = try pass.comparisons(of: wanted, with: reference, on: lane.tape)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return comparisons
    }

    /// The inputs of a reference, checked against the network's shape.
    private struct Batch {
        let inputs: [Tensor]
        let times: [Float]
        let target: Tensor?

        init(_ reference: ReferenceFile, _ configuration: TransformerConfiguration) throws {
            let latents = try reference.input(
                "hidden_states",
                shape: [nil, configuration.inChannels, nil, nil]
            )
            let patch = configuration.patchSize
            for (axis, field) in [(2, "rows"), (3, "columns")] {
                let extent = latents.shape[axis]
                guard extent % patch == 0, extent / patch <= configuration.positionTableSize else {
                    throw ModelError.badFile(
                        path: reference.path,
                        reason: "hidden_states has \(extent) \(field), expected a multiple of \(patch) up to "
                            + "\(patch * configuration.positionTableSize)"
                    )
                }
            }
            let count = latents.shape[0]
            inputs = [
                latents,
                try reference.input(
                    "encoder_hidden_states",
                    shape: [count, nil, configuration.jointAttentionWidth]
                ),
                try reference.input(
                    "pooled_projections",
                    shape: [count, configuration.pooledProjectionWidth]
                ),
            ]
            let times = try reference.numbers("timestep")
            guard times.count == count || times.count == 1, times.allSatisfy(\.isFinite) else {
                throw ModelError.badFile(
                    path: reference.path,
                    reason: "timestep has \(times.count) numbers, expected \(count) finite ones"
                )
            }
            self.times = times.count == count ? times : [Float](repeating: times[0], count: count)
            target =
                reference.file.contains("target")
                ? try reference.input(
                    "target",
                    shape: [count, configuration.outChannels, latents.shape[2], latents.shape[3]]
                ) : nil
        }
    }

    /// One pass through the network, and back if gradients are wanted.
    private struct Pass {
        private let network: VelocityTransformer
        private let set: ParameterSet
        private let batch: Batch
        private let isRecording: Bool

        init(_ network: VelocityTransformer, _ set: ParameterSet, _ batch: Batch, isRecording: Bool) {
            self.network = network
            self.set = set
            self.batch = batch
            self.isRecording = isRecording
        }

        func comparisons(
            of wanted: Set<String>,
            with reference: ReferenceFile,
            on tape: Tape
        ) throws -> [TensorComparison] {
            let gradients = set.makeGradients()
            if isRecording { tape.beginStep(differentiating: gradients) } else { tape.reset() }
            defer { tape.reset() }
            let variables = batch.inputs.map(tape.variable)
            let sample = network(
                latents: variables[0],
                text: TextCondition(context: variables[1], pooled: variables[2]),
                times: batch.times,
                on: tape
            )
            var results: [TensorComparison] = []
            if wanted.contains("sample") {
                results.append(try reference.comparison("sample", with: sample.value))
            }
            guard wanted.contains(where: { $0 != "sample" }) else { return results }
            guard let target = batch.target else {
                throw ModelError.badFile(
                    path: reference.path,
                    reason: "expects a loss or gradients and has no tensor 'target'"
                )
            }
            let loss = tape.squaredError(sample, target: target, scale: 1 / Float(target.count))
            if wanted.contains("loss") { results.append(try reference.comparison("loss", with: loss.value)) }
            guard isRecording else { return results }
            tape.backward(from: loss)
            var found: [(name: String, gradient: Tensor)] = zip(TransformerVerification.inputs, variables)
                .map { ($0, tape.gradient(of: $1)) }
                .filter { wanted.contains("grad." + $0.name) }
            found += set.layout.entries.map { entry in
                let flat = gradients.flat.rows(entry.offset..<entry.offset + entry.count)
                return ("param." + entry.name, flat.reshaped(entry.shape))
            }
            let largest = found.map { largestMagnitude($0.gradient) }.max() ?? 0
            for (name, gradient) in found {
                let scale = TransformerVerification.leastGradient * largest
                results.append(try reference.comparison("grad." + name, with: gradient, scale: scale))
            }
            return results
        }

        private func largestMagnitude(_ tensor: Tensor) -> Double {
            Double(tensor.largestAbsoluteDifference(to: .zeros(tensor.shape)))
        }
    }
}
