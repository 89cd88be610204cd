import DiffusionModels
import NeuralNetwork
package import Tensors

/// The fastest matrix product one lane of this machine makes, measured here and now.
package struct MachinePeak: Sendable, Equatable {
    /// Floating-point operations a second of one lane.
    package let operationsPerSecond: Double

    package init(operationsPerSecond: Double) { self.operationsPerSecond = operationsPerSecond }

    /// Sizes at which a product is limited by arithmetic alone.
    private static let sizes = [(1024, 1024, 1024), (1024, 1536, 1536), (1024, 1536, 384), (512, 3072, 768)]

    /// Times products of all layouts and the engine's linear map, about two seconds long.
    package static func measured(precision: Precision) throws -> MachinePeak {
        var plan = MeasurementPlan()
        plan.leastCount = 3
        plan.budget = .milliseconds(100)
        var best = 0.0
        for (m, n, k) in sizes {
            if precision == .float32 {
                for layout in ProductBenchmark.Layout.allCases {
                    var product = ProductBenchmark(m: m, n: n, k: k, layout: layout, pool: LanePool(count: 1))
                    best = max(best, product.cost.operations / plan.measure(&product).least)
                }
            }
            var map = try LinearMap(rows: m, outputs: n, inputs: k, precision: precision)
            best = max(best, map.cost.operations / plan.measure(&map).least)
        }
        return MachinePeak(operationsPerSecond: best)
    }
}

/// The engine's own linear map over frozen weights, which may know faster ways than a plain product.
private struct LinearMap: Benchmark {
    private let map: Linear
    private let x: Tensor
    private let tape = Tape()
    let cost: BenchmarkCost

    init(rows: Int, outputs: Int, inputs: Int, precision: Precision) throws {
        var stream = RandomStream(key: 2, stream: 0)
        let weights = Weights(
            origin: "a random map",
            tensors: ["map.weight": stream.normal([outputs, inputs])]
        )
        .packed(precision)
        map = try weights.linear("map", inputs: inputs, outputs: outputs, bias: false)
        x = stream.normal([rows, inputs])
        cost = BenchmarkCost(
            operations: 2 * Double(rows) * Double(outputs) * Double(inputs),
            weightBytes: weights.byteCount,
            yield: 1,
            of: "products"
        )
    }

    func run() {
        tape.reset()
        _ = map(Variable(constant: x), on: tape)
    }
}
