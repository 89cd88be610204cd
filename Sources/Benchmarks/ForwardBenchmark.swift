import DiffusionModels
package import Tensors

/// One forward of the batch without gradients, shared by the lanes.
package struct ForwardBenchmark: Benchmark {
    private let network: BenchmarkNetwork
    private let inputs: BenchmarkInputs
    private let pool: LanePool
    private let shape: BenchmarkShape
    package let cost: BenchmarkCost

    package init(_ shape: BenchmarkShape, precision: Precision, pool: LanePool) throws {
        let weights = try shape.randomWeights().packed(precision)
        network = try BenchmarkNetwork(shape, from: weights)
        inputs = BenchmarkInputs(shape)
        self.pool = pool
        self.shape = shape
        cost = BenchmarkCost(
            operations: shape.forwardOperations,
            weightBytes: weights.byteCount,
            yield: Double(shape.batch),
            of: "samples"
        )
    }

    package func run() {
        pool.forEachShare(of: shape.batch, inPiecesOf: LaneLoad.inference.samples(tokens: shape.tokens)) {
            lane,
            range in
            lane.tape.reset()
            _ = network.outputs(inputs.rows(range), on: lane.tape)
        }
    }
}
