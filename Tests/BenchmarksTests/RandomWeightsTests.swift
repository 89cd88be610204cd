import Benchmarks
import DiffusionModels
import Tensors
import Testing

@Suite struct RandomWeightsTests {
    @Test(arguments: [BenchmarkShape.emoji, .tiny])
    func `random weights are all that a network asks for`(shape: BenchmarkShape) throws {
        let weights = try shape.randomWeights()
        _ = try VelocityTransformer(shape.configuration, from: weights)
        let query = try weights.tensor(
            "transformer_blocks.5.attn.to_q.weight",
            shape: [shape.width, shape.width]
        )
        #expect(query.isFinite && query.sumOfSquares > 0)
    }

    @Test func `the same seed draws the same weights, another seed others`() throws {
        let name = "proj_out.weight"
        let shape = [48, 160]
        let first = try BenchmarkShape.minute.randomWeights(seed: 7).tensor(name, shape: shape)
        let again = try BenchmarkShape.minute.randomWeights(seed: 7).tensor(name, shape: shape)
        let other = try BenchmarkShape.minute.randomWeights(seed: 8).tensor(name, shape: shape)
        #expect(first.values == again.values)
        #expect(first.values != other.values)
    }

    @Test func `a network of random weights answers with finite velocities, a block with finite tokens`()
        throws
    {
        for shape in [BenchmarkShape.minute, .minute.block] {
            let inputs = BenchmarkInputs(shape)
            let network = try BenchmarkNetwork(shape, from: shape.randomWeights())
            let outputs = network.outputs(inputs, on: Tape())
            #expect(outputs.map(\.shape) == inputs.targets.map(\.shape))
            #expect(outputs.allSatisfy { $0.value.isFinite && $0.value.sumOfSquares > 0 })
        }
    }

    @Test func `computing a block leaves its inputs as they were`() throws {
        let shape = BenchmarkShape.minute.block
        let inputs = BenchmarkInputs(shape)
        let before = inputs.picture.copied()
        _ = try BenchmarkNetwork(shape, from: shape.randomWeights()).outputs(inputs, on: Tape())
        #expect(inputs.picture.values == before.values)
    }
}
