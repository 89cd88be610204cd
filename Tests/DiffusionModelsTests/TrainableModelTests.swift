import Checkpoints
import DiffusionModels
import Foundation
import NeuralNetwork
import Tensors
import TestSupport
import Testing

/// A model's networks as they are trained whole.
@Suite struct TrainableModelTests {
    @Test func `prompts are encoded as the frozen encoders encode them`() throws {
        let prompts = ["a cat left of a pizza", "", "two unicorns"]
        let model = try TrainableModel(path: Repository.teacher)
        let network = try TrainableNetwork(model, from: model.makeParameters(from: model.readWeights()))
        let text = network.encode(model.tokens(of: prompts), on: Tape())
        let frozen = try ModelFolder(path: Repository.teacher).text.encode(prompts, on: Tape())
        #expect(relativeError(text.context.value, frozen.context) < 1e-5)
        #expect(relativeError(text.pooled.value, frozen.pooled) < 1e-5)
    }

    @Test func `gradients of the transformer and of both text encoders are those of central differences`()
        throws
    {
        let small = try SmallModel()
        let model = try TrainableModel(path: small.path)
        let trained = try model.makeParameters(from: model.drawWeights(seed: 3))
        let network = try TrainableNetwork(model, from: trained)
        let latents = randomTensor([2, 3, 32, 32], seed: 1)
        let target = randomTensor([2, 3, 32, 32], seed: 2)
        let prompts = model.tokens(of: ["a red heart and a blue circle", "three cats"])
        func velocities(on tape: Tape) -> Variable {
            network(latents: Variable(constant: latents), prompts: prompts, sigmas: [0.9, 0.3], on: tape)
        }
        let (tape, gradients) = (Tape(), trained.set.makeGradients())
        tape.beginStep(differentiating: gradients)
        tape.backward(from: tape.squaredError(velocities(on: tape), target: target, scale: 1))
        tape.reset()

        for component in ["transformer", "text_encoder", "text_encoder_2"] {
            let entries = trained.set.layout.entries.filter { $0.name.hasPrefix(component + "/") }
            let range = entries[0].offset..<entries[0].offset + entries.reduce(0) { $0 + $1.count }
            let (values, gradient) = (trained.set.values.rows(range), gradients.flat.rows(range))
            #expect(gradient.sumOfSquares > 0, "\(component)")
            // Along the gradient itself the slope is its length. Young embeddings are small, and a step is smaller.
            let length = gradient.sumOfSquares.squareRoot()
            let start = values.copied()
            let step: Float = 1e-3 / Float(length)
            let ends = [step, -step].map { step in
                values.copy(from: start.adding(gradient, scaledBy: step))
                defer { tape.reset() }
                return velocities(on: tape).value.squaredDistance(to: target)
            }
            values.copy(from: start)
            let slope = (ends[0] - ends[1]) / (2 * Double(step) * length)
            #expect(abs(slope / length - 1) < 0.02, "\(component): \(slope) for \(length)")
        }
    }

    @Test func `weights drawn anew are as diffusers and transformers begin, name for name`() throws {
        let model = try TrainableModel(path: Repository.teacher)
        let (drawn, shipped) = (try model.drawWeights(seed: 1).stored, try model.readWeights().stored)
        #expect(drawn.mapValues(\.shape) == shipped.mapValues(\.shape))
        func values(_ name: String) throws -> Tensor { try #require(drawn[name]).floats }
        func deviation(_ name: String) throws -> Double {
            let tensor = try values(name)
            return (tensor.sumOfSquares / Double(tensor.count)).squareRoot()
        }
        // The table of positions is no parameter: the shipped one, which has half precision, is diffusers' own.
        let table = "transformer/pos_embed.pos_embed"
        let difference = try values(table).largestAbsoluteDifference(to: #require(shipped[table]).floats)
        #expect(difference < 1e-3)
        // U(−1/√inputs, 1/√inputs) has the deviation 1/√(3 · inputs).
        let block = "transformer/transformer_blocks.2."
        for (name, inputs) in [("ff.net.2.weight", 640), ("ff.net.2.bias", 640), ("attn.to_q.weight", 160)] {
            let bound = 1 / Double(inputs).squareRoot()
            #expect(abs(try deviation(block + name) / (bound / 3.0.squareRoot()) - 1) < 0.1, "\(name)")
            #expect(try values(block + name).values.allSatisfy { Double(abs($0)) <= bound + 1e-6 }, "\(name)")
        }
        #expect(try values(block + "attn.norm_q.weight").values.allSatisfy { $0 == 1 })
        let text = "text_encoder/text_model."
        let deviations: [(String, Double)] = [
            (text + "embeddings.token_embedding.weight", 0.02),
            (text + "encoder.layers.0.self_attn.q_proj.weight", 1 / 256.0.squareRoot()),
            (text + "encoder.layers.0.self_attn.out_proj.weight", 1.0 / 8),
            (text + "encoder.layers.1.mlp.fc1.weight", 1 / 128.0.squareRoot()),
            (text + "encoder.layers.1.mlp.fc2.weight", 1 / 256.0.squareRoot()),
            ("text_encoder/text_projection.weight", 1.0 / 8),
        ]
        for (name, expected) in deviations {
            #expect(abs(try deviation(name) / expected - 1) < 0.05, "\(name)")
        }
        #expect(try values(text + "encoder.layers.0.mlp.fc1.bias").sumOfSquares == 0)
        let again = try model.drawWeights(seed: 1).stored
        #expect(drawn.mapValues(\.floats.values) == again.mapValues(\.floats.values))
        let other = try model.drawWeights(seed: 2).stored[block + "attn.to_q.weight"]
        #expect(try values(block + "attn.to_q.weight").values != #require(other).floats.values)
    }

    @Test(arguments: [ScalarType.float32, .float16])
    func `a written model is read back with the same velocities, and takes the place of an older one`(
        type: ScalarType
    ) throws {
        let small = try SmallModel()
        let model = try TrainableModel(path: small.path)
        let out = small.path + "/written"
        let latents = Variable(constant: randomTensor([2, 3, 32, 32], seed: 4))
        let prompts = ["a dog", "a green book"]
        for seed in [UInt64(5), 6] {
            let base = try model.drawWeights(seed: seed)
            let trained = try model.makeParameters(from: base)
            try model.write(trained.set.tensors, over: base, as: type, to: out)
            let expected = try TrainableNetwork(model, from: trained)(
                latents: latents,
                prompts: model.tokens(of: prompts),
                sigmas: [0.8, 0.2],
                on: Tape()
            )
            let folder = try ModelFolder(path: out)
            let found = try folder.makeTransformer()(
                latents: latents,
                text: TextCondition(folder.text.encode(prompts, on: Tape())),
                sigmas: [0.8, 0.2],
                on: Tape()
            )
            #expect(relativeError(found.value, expected.value) < (type == .float32 ? 1e-5 : 5e-3))
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: small.path)
        #expect(!names.contains { $0.contains("tmp-") }, "\(names)")
        // transformers loads weights in the type that the configuration names.
        let text = try String(contentsOfFile: "\(out)/text_encoder/config.json", encoding: .utf8)
        #expect(text.contains(type == .float32 ? "\"float32\"" : "\"float16\""), "\(text)")
    }

    @Test func `what cannot be trained is refused by its field`() throws {
        func refusal(_ file: String, _ change: (inout [String: Any]) -> Void) throws -> String {
            let small = try SmallModel()
            try small.edit(file, change)
            return try #require(throws: ModelError.self) { try TrainableModel(path: small.path) }.description
        }
        let t5 = try refusal("model_index.json") {
            $0["text_encoder_3"] = ["transformers", "T5EncoderModel"]
        }
        #expect(t5.contains("text_encoder_3 is present, expected none: T5 is not trained"), "\(t5)")
        let rows = try refusal("model_index.json") { $0["max_sequence_length"] = nil }
        #expect(rows.contains("max_sequence_length is absent, expected 0"), "\(rows)")
        let width = try refusal("transformer/config.json") { $0["joint_attention_dim"] = 40 }
        #expect(width.contains("joint_attention_dim is 40, expected 32"), "\(width)")
        let words = try refusal("text_encoder/config.json") { $0["vocab_size"] = 100 }
        #expect(words.contains("vocab_size is 100, expected at least 884"), "\(words)")
    }
}
