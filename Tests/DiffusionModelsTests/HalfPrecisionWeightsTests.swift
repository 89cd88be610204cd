import Checkpoints
import FlowMatching
import Foundation
import NeuralNetwork
import Tensors
import TestSupport
import Testing

@testable import DiffusionModels

/// The shipped teacher's transformer, written again in another number type.
private struct RewrittenTeacher {
    let configuration: TransformerConfiguration
    let file: SafetensorsFile

    init(as type: ScalarType) throws {
        let folder = Repository.teacher + "/transformer"
        configuration = try TransformerConfiguration(folder: folder)
        let path = NSTemporaryDirectory() + "teacher-\(UUID().uuidString).safetensors"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try SafetensorsWriter(try SafetensorsFolder(path: folder).tensors(), as: type).write(to: path)
        // The mapping holds the file.
        file = try SafetensorsFile(path: path)
    }

    /// The velocity, and the gradient of an adapter's up matrices.
    func results(_ weights: Weights, adapters: LowRankAdapters? = nil) throws -> [[Float]] {
        guard let adapters else {
            return try [velocity(VelocityTransformer(configuration, from: weights), on: Tape())]
        }
        let network = try VelocityTransformer(
            configuration,
            from: AdaptedWeights(base: weights, adapters: adapters)
        )
        let gradients = adapters.parameters.makeGradients()
        let tape = Tape()
        tape.beginStep(differentiating: gradients)
        let output = output(network, on: tape)
        let loss = tape.squaredError(output, target: .zeros(output.shape), scale: 1)
        let values = output.value.values
        tape.backward(from: loss)
        return [values, gradients.flat.values]
    }

    private func velocity(_ network: VelocityTransformer, on tape: Tape) -> [Float] {
        output(network, on: tape).value.values
    }

    private func output(_ network: VelocityTransformer, on tape: Tape) -> Variable {
        network(
            latents: Variable(constant: randomTensor([2, 3, 16, 16], seed: 1)),
            text: TextCondition(
                context: Variable(
                    constant: randomTensor([2, 5, configuration.jointAttentionWidth], seed: 2)
                ),
                pooled: Variable(constant: randomTensor([2, configuration.pooledProjectionWidth], seed: 3))
            ),
            sigmas: [0.9, 0.3],
            on: tape
        )
    }
}

@Suite struct HalfPrecisionWeightsTests {
    @Test(arguments: [ScalarType.float16, .bfloat16])
    func `weights of half precision act as the widened ones, bit for bit, in every precision`(
        type: ScalarType
    ) throws {
        let teacher = try RewrittenTeacher(as: type)
        let stored = Weights(origin: "stored", stored: try teacher.file.storedTensors())
        let widened = Weights(origin: "widened", tensors: try teacher.file.tensors())
        let adapters = LowRankAdapters(
            rank: 2,
            modules: stored.linearModules,
            targets: ["to_q", "ff.net.2"],
            id: 1
        )
        adapters.initialize(seed: 4)
        for precision in Precision.allCases {
            let (mine, expected) = (stored.packed(precision), widened.packed(precision))
            #expect(try teacher.results(mine) == teacher.results(expected))
            #expect(
                try teacher.results(mine, adapters: adapters) == teacher.results(expected, adapters: adapters)
            )
        }
    }

    @Test func `a trained set begins with the numbers of a file of half precision`() throws {
        let teacher = try RewrittenTeacher(as: .bfloat16)
        let stored = Weights(origin: "stored", stored: try teacher.file.storedTensors())
        let trained = TrainedWeights(base: stored, id: 1) { $0.hasPrefix("transformer_blocks.0.") }
        #expect(!trained.set.layout.entries.isEmpty)
        for (name, tensor) in trained.set.tensors {
            #expect(try tensor.values == teacher.file.tensor(named: name).values)
        }
    }
}
