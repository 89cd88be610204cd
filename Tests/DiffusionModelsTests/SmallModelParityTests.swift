import Checkpoints
import DiffusionModels
import Foundation
import NeuralNetwork
import Tensors
import TestSupport
import Testing

/// Small random models of the family's architectures against diffusers (`Scripts/reference/make_small_models.py`).
@Suite struct SmallModelParityTests {
    private static let tolerance = 1e-4

    private func model(_ name: String) -> String { Repository.fixture("models/" + name) }

    private func expectParity(_ comparisons: [TensorComparison], atLeast count: Int) {
        #expect(comparisons.count >= count)
        for comparison in comparisons {
            #expect(comparison.isWithin(Self.tolerance), "\(comparison)")
        }
    }

    @Test(arguments: [("sd3-medium", 70), ("sd35-medium", 130), ("sd35-large", 110)])
    func `a transformer's velocity, loss and gradients are those of diffusers`(name: String, count: Int)
        throws
    {
        let folder = model(name)
        let comparisons = try TransformerVerification.compare(
            folder: folder + "/transformer",
            with: ReferenceFile(path: folder + "/transformer.safetensors"),
            pool: LanePool(count: 1)
        )
        expectParity(comparisons, atLeast: count)
    }

    @Test(arguments: ["sd3-medium", "sd35-medium"], [1, 2])
    func `an autoencoder's pictures and latents are those of diffusers`(name: String, lanes: Int) throws {
        let folder = model(name)
        let comparisons = try AutoencoderVerification.compare(
            folder: folder + "/vae",
            with: ReferenceFile(path: folder + "/vae.safetensors"),
            pool: LanePool(count: lanes)
        )
        expectParity(comparisons, atLeast: 2)
    }

    @Test func `a picture decoded in tiles is the one that diffusers decodes in tiles`() throws {
        let autoencoder = try Autoencoder(folder: model("sd3-medium") + "/vae")
        let reference = try SafetensorsFile(path: model("sd3-medium") + "/vae_tiled.safetensors")
        let picture = autoencoder.decode(
            try reference.tensor(named: "latents"),
            tile: try reference.integers(named: "tile")[0],
            on: Tape()
        )
        #expect(relativeError(picture, try reference.tensor(named: "expected.image")) < Self.tolerance)
    }

    @Test func `adapters have the gradients that the weights they add to imply`() throws {
        let folder = model("sd35-medium") + "/transformer"
        let reference = try ReferenceFile(path: model("sd35-medium") + "/transformer.safetensors")
        let model = try SmallTransformer(folder: folder)
        let adapters = LowRankAdapters(
            rank: 3,
            modules: model.weights.linearModules,
            targets: ["to_q", "add_k_proj", "attn2.to_v", "net.2", "norm1.linear", "proj_out"],
            id: 1
        )
        adapters.initialize(seed: 5)
        for (index, (name, tensor)) in adapters.parameters.tensors.enumerated()
        where name.hasSuffix("lora_B.weight") {
            tensor.copy(from: randomTensor(tensor.shape, seed: UInt64(index), scale: 0.1))
        }
        let adapted = try model.gradients(
            of: adapters.parameters,
            in: AdaptedWeights(base: model.weights, adapters: adapters),
            reference
        )
        let merged = adapters.merged(into: model.weights)
        let trained = TrainedWeights(base: merged, id: 1, isTrained: { $0.hasSuffix(".weight") })
        let whole = try model.gradients(of: trained.set, in: trained, reference)
        var checked = 0
        for (name, gradient) in adapted {
            let module = String(name.dropLast(".lora_A.weight".count))
            let down = try #require(adapters.parameters.parameter(named: module + ".lora_A.weight")).value
            let up = try #require(adapters.parameters.parameter(named: module + ".lora_B.weight")).value
            let weight = try #require(whole[module + ".weight"])
            // d up = dW · downᵀ, d down = upᵀ · dW.
            let expected = Tensor.zeros(gradient.shape)
            if name.hasSuffix("lora_A.weight") {
                expected.setProduct(up, transposed: true, weight, on: Tape())
            } else {
                expected.setProduct(weight, transposed: false, down, transposed: true, on: Tape())
            }
            #expect(relativeError(gradient, expected) < 1e-3, "\(name)")
            checked += 1
        }
        #expect(checked == adapters.parameters.layout.entries.count)
    }

    @Test func `one wrong element of a reference is beyond the tolerance`() throws {
        let reference = try SafetensorsFile(path: model("sd3-medium") + "/transformer.safetensors")
        let expected = try reference.tensor(named: "expected.sample")
        var values = expected.values
        let largest = values.map(abs).max() ?? 0
        values[17] += 2e-4 * largest
        let comparison = TensorComparison(
            "expected.sample",
            Tensor(values, shape: expected.shape),
            expected: expected
        )
        #expect(!comparison.isWithin(Self.tolerance))
        #expect(abs(comparison.relativeError - 2e-4) < 1e-6)
    }

    @Test func `a reference that nothing is compared with is refused by its name`() throws {
        try TemporaryFile.with { path in
            var writer = SafetensorsWriter()
            let inputs = try SafetensorsFile(path: model("sd3-medium") + "/transformer.safetensors")
            for name in ["hidden_states", "encoder_hidden_states", "pooled_projections", "timestep"] {
                writer.add(name, try inputs.tensor(named: name))
            }
            writer.add("expected.smaple", try inputs.tensor(named: "expected.sample"))
            try writer.write(to: path)
            let error = try #require(throws: ModelError.self) {
                try TransformerVerification.compare(
                    folder: model("sd3-medium") + "/transformer",
                    with: ReferenceFile(path: path),
                    pool: LanePool(count: 1)
                )
            }
            #expect(error.description.contains("expected.smaple is nothing that can be compared"))
        }
    }
}

/// A transformer of the fixtures.
private struct SmallTransformer {
    let configuration: TransformerConfiguration
    let weights: Weights

    init(folder: String) throws {
        configuration = try TransformerConfiguration(folder: folder)
        weights = Weights(origin: folder, tensors: try SafetensorsFolder(path: folder).tensors())
    }

    /// Gradients of the reference's mean squared error, by name.
    func gradients(
        of set: ParameterSet,
        in source: some ParameterSource,
        _ reference: ReferenceFile
    ) throws -> [String: Tensor] {
        let network = try VelocityTransformer(configuration, from: source)
        let gradients = set.makeGradients()
        let tape = Tape()
        tape.beginStep(differentiating: gradients)
        let target = try reference.file.tensor(named: "target")
        let velocity = network(
            latents: Variable(constant: try reference.file.tensor(named: "hidden_states")),
            text: TextCondition(
                context: Variable(constant: try reference.file.tensor(named: "encoder_hidden_states")),
                pooled: Variable(constant: try reference.file.tensor(named: "pooled_projections"))
            ),
            times: try reference.file.tensor(named: "timestep").values,
            on: tape
        )
        tape.backward(from: tape.squaredError(velocity, target: target, scale: 1 / Float(target.count)))
        return Dictionary(
            uniqueKeysWithValues: set.layout.entries.map { entry in
                let flat = gradients.flat.rows(entry.offset..<entry.offset + entry.count)
                return (entry.name, flat.reshaped(entry.shape))
            }
        )
    }
}

/// A place for a file that a test writes.
enum TemporaryFile {
    static func with(_ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "reference-\(UUID().uuidString)")
            .path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }
}
