import NeuralNetwork
import Tensors
import TestSupport
import Testing

@Suite struct LowRankAdaptersTests {
    private let modules = [
        ("blocks.0.attn.to_q", [6, 4]), ("blocks.0.attn.to_out.0", [4, 6]), ("blocks.0.ff.net.2", [4, 8]),
    ]

    @Test func `a target names a module or the end of its path, as PEFT matches`() {
        #expect(LowRankAdapters.matches("blocks.0.attn.to_q", ["to_q"]))
        #expect(LowRankAdapters.matches("to_q", ["to_q"]))
        #expect(!LowRankAdapters.matches("blocks.0.attn.add_to_q", ["to_q"]))
        #expect(LowRankAdapters.matches("blocks.0.attn.to_out.0", ["to_out.0"]))
    }

    @Test func `only targets get adapters, of the rank asked for`() {
        let adapters = LowRankAdapters(rank: 3, modules: modules, targets: ["to_q", "ff.net.2"], id: 1)
        #expect(adapters.parameters.layout.entries.map(\.shape) == [[3, 4], [6, 3], [3, 8], [4, 3]])
        let isAdapted = adapters.adapter(for: "blocks.0.attn.to_out.0") != nil
        #expect(!isAdapted)
    }

    @Test func `a fresh adapter changes nothing, bit for bit`() throws {
        let adapters = LowRankAdapters(rank: 3, modules: modules, targets: ["to_q"], id: 1)
        adapters.initialize(seed: 4)
        let weight = Parameter(frozen: randomTensor([6, 4], seed: 1))
        let tape = Tape()
        let x = Variable(constant: randomTensor([5, 4], seed: 2))
        let plain = tape.linear(x, weight: weight)
        let adapter = try #require(adapters.adapter(for: "blocks.0.attn.to_q"))
        let adapted = tape.linear(x, weight: weight, adapter: adapter)
        #expect(adapted.value.values == plain.value.values)
        #expect(adapter.down.value.sumOfSquares > 0)
    }

    @Test func `gradients of lanes add up in the first lane`() {
        let lanes = (0..<3).map { _ in ParameterGradients(set: 1, count: 2) }
        for (index, lane) in lanes.enumerated() { lane.flat.fill(Float(index + 1)) }
        #expect(ParameterGradients.sum(lanes, pool: LanePool(count: 2)).flat.values == [6, 6])
    }

    @Test func `the norm of a gradient is the same for any number of lanes`() {
        let gradients = ParameterGradients(set: 1, count: (1 << 19) + 7)
        gradients.flat.copy(from: randomTensor([gradients.flat.count], seed: 3))
        let norm = gradients.norm()
        #expect(gradients.norm(pool: LanePool(count: 3)) == norm)
        #expect(abs(norm - gradients.flat.sumOfSquares.squareRoot()) < 1e-9 * norm)
    }
}
