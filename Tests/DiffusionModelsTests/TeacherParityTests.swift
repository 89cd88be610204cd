import Checkpoints
import DiffusionModels
import NeuralNetwork
import Tensors
import TestSupport
import Testing

/// The shipped teacher against outputs of diffusers and transformers (`Scripts/reference/make_reference.py`).
@Suite struct TeacherParityTests {
    /// Largest relative errors that the project promises.
    private enum Tolerance {
        static let output = 1e-4
        static let gradient = 1e-3
    }

    @Test func `the transformer's velocity, loss and gradients are those of diffusers`() throws {
        let folder = try ModelFolder(path: Repository.teacher)
        let reference = try SafetensorsFile(path: Repository.fixture("transformer.safetensors"))
        let trained = TrainedWeights(base: folder.weights, id: 1, isTrained: { _ in true })
        let network = try VelocityTransformer(folder.configuration, from: trained)
        let gradients = trained.set.makeGradients()
        let tape = Tape()
        tape.beginStep(differentiating: gradients)
        let names = ["hidden_states", "encoder_hidden_states", "pooled_projections"]
        let inputs = try names.map { tape.variable(try reference.tensor(named: $0)) }
        let sigmas = try reference.tensor(named: "timestep").values.map { $0 / 1000 }
        let velocity = network(
            latents: inputs[0],
            text: TextCondition(context: inputs[1], pooled: inputs[2]),
            sigmas: sigmas,
            on: tape
        )
        let expected = try reference.tensor(named: "expected.sample")
        #expect(relativeError(velocity.value, expected) < Tolerance.output)

        let target = try reference.tensor(named: "target")
        let loss = tape.squaredError(velocity, target: target, scale: 1 / Float(target.count))
        let expectedLoss = try reference.tensor(named: "expected.loss").values[0]
        #expect(abs(loss.value.scalar / expectedLoss - 1) < Float(Tolerance.output))

        tape.backward(from: loss)
        for (name, input) in zip(names, inputs) {
            let expected = try reference.tensor(named: "expected.grad." + name)
            #expect(relativeError(tape.gradient(of: input), expected) < Tolerance.gradient, "\(name)")
        }
        let more = try SafetensorsFile(path: Repository.fixture("transformer_gradients.safetensors"))
        let prefix = "expected.grad.param."
        var checked = 0
        for file in [reference, more] {
            for key in file.names where key.hasPrefix(prefix) {
                let entry = try #require(trained.set.layout[String(key.dropFirst(prefix.count))])
                let gradient = gradients.flat.rows(entry.offset..<entry.offset + entry.count)
                let expected = try file.tensor(named: key).reshaped([entry.count])
                #expect(relativeError(gradient, expected) < Tolerance.gradient, "\(key)")
                checked += 1
            }
        }
        #expect(checked >= 38)
    }

    @Test(arguments: ["text_encoder", "text_encoder_2"])
    func `a text encoder's states and projection are those of transformers`(component: String) throws {
        let reference = try SafetensorsFile(path: Repository.fixture(component + ".safetensors"))
        let encoder = try CLIPTextEncoder(folder: Repository.teacher + "/" + component)
        let ids = try reference.integers(named: "input_ids")
        let length = encoder.configuration.positionCount
        let rows = stride(from: 0, to: ids.count, by: length).map { Array(ids[$0..<$0 + length]) }
        let output = try encoder(rows, on: Tape())
        let states = try reference.tensor(named: "expected.penultimate_hidden_state")
        let embeddings = try reference.tensor(named: "expected.text_embeds")
        #expect(relativeError(output.penultimate, states) < Tolerance.output)
        #expect(relativeError(output.embeddings, embeddings) < Tolerance.output)
    }

    @Test func `prompts are encoded as the pipeline of diffusers does`() throws {
        let folder = try ModelFolder(path: Repository.teacher)
        let reference = try SafetensorsFile(path: Repository.fixture("guided.safetensors"))
        let encoded = try folder.text.encode(try ReferencePrompts.all() + [""], on: Tape())
        #expect(
            relativeError(encoded.context, try reference.tensor(named: "expected.context"))
                < Tolerance.output
        )
        #expect(
            relativeError(encoded.pooled, try reference.tensor(named: "expected.pooled")) < Tolerance.output
        )
        let ids = try reference.integers(named: "input_ids")
        let mine = try (ReferencePrompts.all() + [""]).flatMap { try folder.text.tokens(of: $0, encoder: 0) }
        #expect(mine == ids)
    }

    @Test func `latents of another extent take the middle of the position table`() throws {
        let folder = try ModelFolder(path: Repository.teacher)
        let network = try folder.makeTransformer()
        let text = try folder.text.encode(["a cat"], on: Tape())
        let tape = Tape()
        let velocity = network(
            latents: Variable(constant: randomTensor([1, 3, 16, 24], seed: 5)),
            text: TextCondition(text),
            sigmas: [0.5],
            on: tape
        )
        #expect(velocity.shape == [1, 3, 16, 24])
        #expect(velocity.value.isFinite)
    }
}
