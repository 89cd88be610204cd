package import Tensors

/// One matrix product in every lane.
package struct ProductBenchmark: Benchmark {
    /// The three products of a linear map, y = x Wᵀ.
    package enum Layout: String, Sendable, CaseIterable {
        /// x · Wᵀ.
        case forward
        /// dy · W.
        case inputGradient = "input-gradient"
        /// dyᵀ · x.
        case weightGradient = "weight-gradient"
    }

    private struct Operands: Sendable {
        let a: Tensor
        let b: Tensor
        let c: Tensor
    }

    private let layout: Layout
    private let pool: LanePool
    private let operands: [Operands]
    package let cost: BenchmarkCost

    /// C `[m, n]` = A `[m, k]` · B `[k, n]`, stored as `layout` has them.
    package init(m: Int, n: Int, k: Int, layout: Layout, pool: LanePool) {
        var stream = RandomStream(key: 3, stream: 0)
        self.layout = layout
        self.pool = pool
        operands = pool.lanes.map { _ in
            Operands(
                a: stream.normal(layout == .weightGradient ? [k, m] : [m, k]),
                b: stream.normal(layout == .forward ? [n, k] : [k, n]),
                c: .zeros([m, n])
            )
        }
        let lanes = pool.lanes.count
        cost = BenchmarkCost(
            operations: 2 * Double(m) * Double(n) * Double(k) * Double(lanes),
            weightBytes: 4 * k * n * lanes,
            yield: Double(lanes),
            of: "products"
        )
    }

    package func run() {
        pool.forEachShare(of: operands.count) { lane, share in
            for index in share {
                operands[index].c.setProduct(
                    operands[index].a,
                    transposed: layout == .weightGradient,
                    operands[index].b,
                    transposed: layout == .forward,
                    on: lane.tape
                )
            }
        }
    }
}

extension BenchmarkShape {
    /// The sizes of the linear maps of a block, for one lane's share of the batch.
    package func productSizes(lanes: Int) -> [(name: String, m: Int, n: Int, k: Int)] {
        let samples = max(1, batch / lanes)
        let picture = samples * pictureTokens
        let text = samples * textTokens
        return [
            ("projection", picture, width, width),
            ("expansion", picture, 4 * width, width),
            ("contraction", picture, width, 4 * width),
            ("text-projection", text, width, width),
            ("text-expansion", text, 4 * width, width),
            ("modulation", samples, 6 * width, width),
        ]
    }
}
