import DiffusionModels
import NeuralNetwork
package import Tensors

/// One operation of a block on the tokens of a batch, shared by the lanes.
package struct OperationBenchmark: Benchmark {
    /// The operations that take a block's time.
    package enum Kind: String, Sendable, CaseIterable {
        /// The feed-forward's first map, width to four widths.
        case linear
        case attention
        case layerNorm = "layer-norm"
        case rmsNorm = "rms-norm"
        /// On the feed-forward's inner features.
        case gelu
        case gatedResidual = "gated-residual"
        /// On the twelve squared widths of parameters of a stream's maps.
        case adamW = "adamw"
    }

    private let kind: Kind
    private let heads: Int
    private let width: Int
    private let hasGradients: Bool
    private let pool: LanePool
    private let batch: Int
    private let x: Tensor
    private let branch: Tensor
    private let modulation: Tensor
    private let norm: Parameter
    private let map: Linear
    private let parameters: ParameterSet
    private let gradients: [ParameterGradients]
    private var optimizer: AdamW
    package let cost: BenchmarkCost

    /// - Parameter hasGradients: the way back is measured too; AdamW has none.
    package init(_ kind: Kind, _ shape: BenchmarkShape, hasGradients: Bool, pool: LanePool) throws {
        var stream = RandomStream(key: 6, stream: 0)
        let width = shape.width
        self.kind = kind
        self.hasGradients = hasGradients
        self.pool = pool
        self.width = width
        batch = shape.batch
        heads = shape.configuration.headCount
        let features = kind == .gelu ? 4 * width : width
        x = stream.normal([batch, shape.tokens, features])
        branch = kind == .gatedResidual ? stream.normal(x.shape) : .zeros([batch, 0])
        modulation = stream.normal([batch, 6 * width])
        let headWidth = shape.configuration.headWidth
        norm = Parameter(frozen: Tensor(repeating: 1, shape: [headWidth]))
        let set = ParameterSet(
            id: 1,
            layout: ParameterLayout(
                kind == .adamW ? [("maps", [12 * width, width])] : [("map", [4 * width, width])]
            )
        )
        set.values.copy(from: stream.normal([set.layout.count]).scaled(by: 1 / Float(width).squareRoot()))
        parameters = set
        let weight = set.parameter(named: "map") ?? Parameter(frozen: set.values)
        map = Linear(weight: weight, bias: nil)
        gradients = pool.lanes.map { _ in set.makeGradients() }
        optimizer = try AdamW(AdamW.Settings(learningRate: 1e-5), parameterCount: set.layout.count)
        cost = Self.cost(kind, shape, passes: hasGradients ? 3 : 1, tensor: x.count, parameters: set)
    }

    package mutating func run() {
        guard kind != .adamW else {
            optimizer.update(parameters, gradients: gradients[0])
            return
        }
        pool.forEachShare(of: batch) { lane, share in
            let tape = lane.tape
            if hasGradients { tape.beginStep(differentiating: gradients[lane.index]) }
            defer { tape.reset() }
            let y = compute(tape.variable(x.rows(share)), share, on: tape)
            if hasGradients { tape.backward(from: tape.sum(y, scale: 1)) }
        }
    }

    private func compute(_ x: Variable, _ share: Range<Int>, on tape: Tape) -> Variable {
        let m = Modulation(Variable(constant: modulation.rows(share)), width: width)
        switch kind {
        case .linear: return map(x, on: tape)
        case .attention:
            return tape.attention(queries: [x], keys: [x], values: [x], heads: heads)[0]
        case .layerNorm: return tape.layerNorm(x, modulation: m, shift: 0, scale: 1)
        case .rmsNorm: return tape.rmsNorm(x, weight: norm)
        case .gelu: return tape.activation(.geluTanh, x)
        case .gatedResidual:
            return tape.gatedResidual(x, Variable(constant: branch.rows(share)), modulation: m, gate: 2)
        case .adamW: return x
        }
    }

    /// Operations of products; elsewhere, the way back apart, bytes read and written once each.
    private static func cost(
        _ kind: Kind,
        _ shape: BenchmarkShape,
        passes: Double,
        tensor: Int,
        parameters: ParameterSet
    ) -> BenchmarkCost {
        let weightBytes = 4 * parameters.layout.count
        func moved(floats: Int) -> BenchmarkCost {
            BenchmarkCost(operations: 0, weightBytes: weightBytes, yield: 4e-9 * Double(floats), of: "GB")
        }
        func counted(_ operations: Double) -> BenchmarkCost {
            BenchmarkCost(operations: operations, weightBytes: weightBytes, yield: 1, of: "runs")
        }
        let rows = Double(shape.batch * shape.tokens)
        switch kind {
        case .linear: return counted(passes * 8 * rows * Double(shape.width * shape.width))
        case .attention: return counted(passes * 4 * rows * Double(shape.tokens * shape.width))
        // Parameters and both moments are read and written, gradients read.
        case .adamW: return moved(floats: 7 * parameters.layout.count)
        case .layerNorm, .rmsNorm, .gelu, .gatedResidual:
            guard passes == 1 else { return counted(0) }
            return moved(floats: (kind == .gatedResidual ? 3 : 2) * tensor)
        }
    }
}
