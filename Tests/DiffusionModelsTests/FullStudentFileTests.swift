import Checkpoints
import DiffusionModels
import Foundation
import NeuralNetwork
import Tensors
import TestSupport
import Testing

/// Full students as files: a checkpoint's, and the transformer's folder that diffusers loads.
@Suite struct FullStudentFileTests {
    private let model: ModelFolder
    private let student: Student

    init() throws {
        model = try ModelFolder(path: Repository.teacher, text: .whenNeeded)
        let layerCount = model.configuration.layerCount
        let trained = TrainedWeights(base: model.weights, id: 1) {
            VelocityTransformer.isTrainable($0, layerCount: layerCount)
        }
        student = .weights(trained.set)
        let change = randomTensor([trained.set.layout.count], seed: 4)
        trained.set.values.accumulate(change, scaledBy: 0.01)
    }

    private func read(_ path: String) throws -> Student {
        try Student(path: path, of: model.weights, layerCount: model.configuration.layerCount)
    }

    private func velocity(_ network: VelocityTransformer) -> Tensor {
        let configuration = model.configuration
        let text = EncodedText(
            context: randomTensor([1, 5, configuration.jointAttentionWidth], seed: 1),
            pooled: randomTensor([1, configuration.pooledProjectionWidth], seed: 2)
        )
        let latents = Variable(constant: randomTensor(model.latentShape(count: 1), seed: 3))
        return network(latents: latents, text: TextCondition(text), sigmas: [0.7], on: Tape()).value.copied()
    }

    /// Whether two networks have the same velocities, bit for bit.
    private func areEqual(_ one: VelocityTransformer, _ other: VelocityTransformer) -> Bool {
        velocity(one).largestAbsoluteDifference(to: velocity(other)) == 0
    }

    @Test func `a full student comes back from a checkpoint's file bit for bit, and says how it is sampled`()
        throws
    {
        try TemporaryFile.with { path in
            try student.writer(metadata: ["how": "thus"]).write(to: path)
            #expect(try SafetensorsFile(path: path).metadata == ["how": "thus", "format": "pt"])
            let read = try read(path)
            #expect(read.parameters.layout == student.parameters.layout)
            #expect(read.parameters.values.values == student.parameters.values.values)
            let network = try model.makeTransformer(student: read)
            #expect(areEqual(network, try model.makeTransformer(student: student)))
            #expect(!areEqual(network, try model.makeTransformer()))
        }
    }

    @Test func `a transformer's folder of a full student is a whole transformer with its velocities`() throws
    {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try MergedTransformer.write(student, of: model, metadata: [:], to: folder)
        // As diffusers opens it: settings and weights of this folder alone.
        let weights = try SafetensorsFolder(path: folder).storedTensors()
        let network = try VelocityTransformer(
            TransformerConfiguration(folder: folder),
            from: Weights(origin: folder, stored: weights).packed(.float32)
        )
        let expected = try model.makeTransformer(student: student)
        #expect(areEqual(network, expected))
        let read = try read("\(folder)/\(MergedTransformer.weightsName)")
        #expect(areEqual(try model.makeTransformer(student: read), expected))
    }

    @Test(arguments: [ScalarType.float32, .float16, .bfloat16])
    func `merged weights are stored as asked, adapters added before they are rounded`(type: ScalarType) throws
    {
        let modules = model.weights.linearModules
        let adapters = LowRankAdapters(rank: 2, modules: modules, targets: ["attn.to_q"], id: 1)
        let values = adapters.parameters.values
        values.copy(from: randomTensor(values.shape, seed: 6))
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try MergedTransformer.write(.adapters(adapters), as: type, of: model, metadata: [:], to: folder)
        let written = try SafetensorsFile(path: "\(folder)/\(MergedTransformer.weightsName)")
        let expected = adapters.merged(into: model.weights, scale: 1).stored
        #expect(Set(written.names) == Set(expected.keys))
        for (name, tensor) in expected {
            let floats = tensor.floats
            let rounded = Tensor(decoding: floats.encoded(as: type), as: type, shape: floats.shape)
            #expect(try written.tensor(named: name, shape: floats.shape).values == rounded.values, "\(name)")
        }
    }

    @Test func `a file with a weight too few, too many or of another shape is refused by its name`() throws {
        let name = "proj_out.bias"
        let tensors = Dictionary(
            uniqueKeysWithValues: student.parameters.tensors.map { ($0.name, $0.tensor) }
        )
        var fewer = tensors
        fewer[name] = nil
        var other = tensors
        other[name] = .zeros([1])
        var more = tensors
        more["proj_in.bias"] = .zeros([1])
        for (broken, expected) in [(fewer, name), (other, name), (more, "proj_in.bias is no weight of")] {
            try TemporaryFile.with { path in
                try SafetensorsWriter(broken).write(to: path)
                let error = try #require(throws: (any Error).self) { try read(path) }
                #expect("\(error)".contains(expected) && "\(error)".contains(path), "\(error)")
            }
        }
    }
}
