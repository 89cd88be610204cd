import DiffusionModels
package import NeuralNetwork
package import Tensors

/// One training step on a random target: forward and gradients in the lanes, their sum, and an AdamW update.
package struct TrainingBenchmark: Benchmark {
    /// Which parameters are trained.
    package enum Mode: String, Sendable, CaseIterable {
        /// Adapters of rank 16 on the attention's maps.
        case lora
        /// All weights but the table of positions.
        case full
    }

    /// The linear maps that get adapters, as diffusers names them.
    package static let adapterTargets = [
        "to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out",
    ]
    package static let adapterRank = 16

    private let network: BenchmarkNetwork
    private let inputs: BenchmarkInputs
    private let pool: LanePool
    private let shape: BenchmarkShape
    /// What is trained; the optimizer writes it in place.
    package let parameters: ParameterSet
    private let gradients: [ParameterGradients]
    private var optimizer: AdamW
    package let cost: BenchmarkCost

    /// - Parameter recomputesBlocks: gradient checkpointing.
    package init(
        _ shape: BenchmarkShape,
        mode: Mode,
        precision: Precision,
        recomputesBlocks: Bool = false,
        pool: LanePool
    ) throws {
        let drawn = try shape.randomWeights()
        // Weights in training change too often to be laid out for products.
        let weights = mode == .lora ? drawn.packed(precision) : drawn
        switch mode {
        case .lora:
            let adapters = LowRankAdapters(
                rank: Self.adapterRank,
                modules: weights.linearModules,
                targets: Self.adapterTargets,
                id: 1
            )
            adapters.initialize(seed: 0)
            network = try BenchmarkNetwork(
                shape,
                from: AdaptedWeights(base: weights, adapters: adapters),
                recomputesBlocks: recomputesBlocks
            )
            parameters = adapters.parameters
        case .full:
            let trained = TrainedWeights(base: weights, id: 1) { $0 != "pos_embed.pos_embed" }
            network = try BenchmarkNetwork(shape, from: trained, recomputesBlocks: recomputesBlocks)
            parameters = trained.set
        }
        inputs = BenchmarkInputs(shape)
        self.pool = pool
        self.shape = shape
        gradients = pool.lanes.map { [parameters] _ in parameters.makeGradients() }
        optimizer = try AdamW(AdamW.Settings(learningRate: 1e-5), parameterCount: parameters.layout.count)
        cost = BenchmarkCost(
            operations: mode == .lora ? shape.adapterTrainingOperations : shape.fullTrainingOperations,
            weightBytes: weights.byteCount + (mode == .lora ? 4 * parameters.layout.count : 0),
            yield: Double(shape.batch),
            of: "samples"
        )
    }

    package mutating func run() {
        ParameterGradients.clear(gradients, pool: pool)
        pool.forEachShare(of: shape.batch, inPiecesOf: LaneLoad.training.samples(tokens: shape.tokens)) {
            lane,
            range in
            lane.tape.beginStep(differentiating: gradients[lane.index])
            defer { lane.tape.reset() }
            let loss = network.loss(inputs.rows(range), batchCount: shape.batch, on: lane.tape)
            lane.tape.backward(from: loss)
        }
        optimizer.update(parameters, gradients: .sum(gradients, pool: pool), pool: pool)
    }
}
