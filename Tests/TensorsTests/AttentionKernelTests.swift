import CKernels
import Foundation
import TestSupport
import Testing

@testable import Tensors

/// Attention of one head on one instruction set, against the same in double precision.
private struct HeadCase: CustomTestStringConvertible {
    /// Tokens of every stream.
    var tokens: [Int]
    var width: Int
    var isCausal = false
    var hasBias = false
    /// Queries and keys are normalised first, with weights of which the queries' first is this.
    var firstNorm: Float?

    var testDescription: String {
        "\(tokens) tokens of \(width)\(isCausal ? ", causal" : "")\(hasBias ? ", with a bias" : "")"
            + (firstNorm.map { ", normalised with \($0) first" } ?? "")
    }

    /// Extents around every edge of vectors, tiles and blocks of queries.
    static let all =
        [([3], 2), ([7, 3], 5), ([40, 9], 32), ([97, 5], 33), ([16, 64], 64), ([200], 8)].map {
            HeadCase(tokens: $0, width: $1)
        } + [
            HeadCase(tokens: [37], width: 16, isCausal: true),
            HeadCase(tokens: [101], width: 12, hasBias: true),
            HeadCase(tokens: [50], width: 9, isCausal: true, hasBias: true),
        ]

    /// Of widths that are multiples of 32; the last ones' scores may be too large to do without their row's largest.
    static let normalized = [
        HeadCase(tokens: [40, 9], width: 32, firstNorm: 1),
        HeadCase(tokens: [97, 5], width: 64, firstNorm: 1),
        HeadCase(tokens: [113], width: 96, firstNorm: 1),
        HeadCase(tokens: [3, 16], width: 32, firstNorm: 12),
        HeadCase(tokens: [100], width: 64, firstNorm: 12),
    ]

    static let instructionSets = [FS_ISA_PORTABLE, FS_ISA_AVX2, FS_ISA_AVX512].filter {
        $0.rawValue <= fs_best_isa().rawValue
    }

    static let bfloat16Sets = [FS_ISA_PORTABLE] + (fs_has_bf16_products() != 0 ? [FS_ISA_AVX512] : [])

    var count: Int { tokens.reduce(0, +) }
    var scale: Float { 0.4 }
    var rawQueries: Tensor { randomTensor([count, width], seed: 1) }
    var rawKeys: Tensor { randomTensor([count, width], seed: 2) }
    var queries: Tensor { normalized(rawQueries, with: queryNorms) }
    var keys: Tensor { normalized(rawKeys, with: keyNorms) }
    var values: Tensor { randomTensor([count, width], seed: 3) }
    var doutputs: Tensor { randomTensor([count, width], seed: 4) }
    var bias: Tensor { randomTensor([2 * count - 1], seed: 5) }

    /// One a stream; none where nothing is normalised.
    var queryNorms: [Tensor] {
        guard let firstNorm else { return [] }
        return tokens.indices.map {
            Tensor([firstNorm] + norm(seed: 6 + UInt64($0)).dropFirst(), shape: [width])
        }
    }
    var keyNorms: [Tensor] {
        firstNorm == nil ? [] : tokens.indices.map { Tensor(norm(seed: 8 + UInt64($0)), shape: [width]) }
    }

    /// Around 1.
    private func norm(seed: UInt64) -> [Float] {
        randomTensor([width], seed: seed, scale: 0.2).values.map { 1 + $0 }
    }

    private func normalized(_ x: Tensor, with norms: [Tensor]) -> Tensor {
        guard !norms.isEmpty else { return x }
        let rows = (0..<count).map { index in
            let row = x.row(index).values
            let inverse = 1 / (row.reduce(0) { $0 + $1 * $1 } / Float(width) + 1e-6).squareRoot()
            return zip(row, norms[index < tokens[0] ? 0 : 1].values).map { $0 * inverse * $1 }
        }
        return Tensor(rows.flatMap(\.self), shape: x.shape)
    }

    typealias Kernel = (fs_isa, UnsafePointer<fs_attention_arguments>, UnsafeMutablePointer<Float>) -> Void

    /// The output and the gradients of queries, keys and values.
    func compute(
        _ isa: fs_isa,
        workspace size: (fs_isa, UnsafePointer<fs_attention_arguments>) -> Int,
        forward: Kernel,
        backward: Kernel
    ) -> [Tensor] {
        let inputs = [queries, keys, values, doutputs]
        let results = (0..<4).map { _ in Tensor.zeros([count, width]) }
        let (bias, logSums) = (bias, Tensor.zeros([count]))
        var a = unsafe fs_attention_arguments()
        unsafe a.streams = tokens.count
        unsafe a.query_streams = tokens.count
        unsafe a.width = width
        unsafe a.scale = scale
        unsafe a.causal = isCausal ? 1 : 0
        if hasBias { unsafe a.position_bias = UnsafePointer(bias.pointer + (count - 1)) }
        unsafe a.queries = streams(inputs[0])
        unsafe a.keys = streams(inputs[1])
        unsafe a.values = streams(inputs[2])
        unsafe a.doutputs = streams(inputs[3])
        unsafe a.outputs = resultStreams(results[0])
        unsafe a.dqueries = resultStreams(results[1])
        unsafe a.dkeys = resultStreams(results[2])
        unsafe a.dvalues = resultStreams(results[3])
        unsafe a.log_sums = logSums.pointer
        let workspace = Tensor(repeating: .nan, shape: [unsafe size(isa, &a)])
        unsafe forward(isa, &a, workspace.pointer)
        unsafe backward(isa, &a, workspace.pointer)
        withExtendedLifetime((inputs, bias, logSums)) {}
        return results
    }

    /// The output, in pairs, of queries and keys that the kernel normalises.
    func computeNormalized(_ isa: fs_isa) -> Tensor {
        let inputs = [rawQueries, rawKeys, values]
        let (queryNorms, keyNorms) = (queryNorms, keyNorms)
        let result = Tensor.zeros([count, width / 2])
        var a = unsafe fs_attention_arguments()
        unsafe a.streams = tokens.count
        unsafe a.query_streams = tokens.count
        unsafe a.width = width
        unsafe a.scale = scale
        unsafe a.queries = streams(inputs[0])
        unsafe a.keys = streams(inputs[1])
        unsafe a.values = streams(inputs[2])
        unsafe a.outputs = resultStreams(result)
        unsafe a.query_norms = weights(queryNorms)
        unsafe a.key_norms = weights(keyNorms)
        unsafe a.norm_epsilon = 1e-6
        unsafe a.rounds_outputs = 1
        let workspace = Tensor(repeating: .nan, shape: [unsafe fs_attention_workspace_bf16(isa, &a)])
        unsafe fs_attention_forward_bf16(isa, &a, workspace.pointer)
        withExtendedLifetime((inputs, queryNorms, keyNorms)) {}
        return Tensor(pairs: result.values.map(\.bitPattern), shape: [count, width])
    }

    private func weights(_ norms: [Tensor]) -> (UnsafePointer<Float>?, UnsafePointer<Float>?) {
        unsafe (UnsafePointer(norms[0].pointer), norms.count > 1 ? UnsafePointer(norms[1].pointer) : nil)
    }

    private func resultStreams(_ x: Tensor) -> (fs_token_results, fs_token_results) {
        let second = tokens.count > 1 ? tokens[1] : 0
        let stride = x.shape[1]
        return unsafe (
            fs_token_results(rows: x.pointer, stride: stride, tokens: tokens[0]),
            fs_token_results(rows: x.pointer + tokens[0] * stride, stride: stride, tokens: second)
        )
    }

    private func streams(_ x: Tensor) -> (fs_token_rows, fs_token_rows) {
        let (first, second) = unsafe resultStreams(x)
        return unsafe (
            fs_token_rows(rows: first.rows, stride: first.stride, tokens: first.tokens),
            fs_token_rows(rows: second.rows, stride: second.stride, tokens: second.tokens)
        )
    }

    /// In double precision, from inputs rounded by `round`.
    func reference(rounding round: (Float) -> Float = { $0 }) -> [Tensor] {
        let (q, k) = (rows(queries, round), rows(keys, round))
        let (v, dy) = (rows(values, round), rows(doutputs, round))
        let bias = bias.values.map(Double.init)
        var (y, dq, dk, dv) = (zeros, zeros, zeros, zeros)
        for i in 0..<count {
            let visible = isCausal ? i + 1 : count
            let weights = (0..<visible).map {
                exp(Double(scale) * (dot(q[i], k[$0]) + (hasBias ? bias[$0 - i + count - 1] : 0)))
            }
            let sum = weights.reduce(0, +)
            for j in 0..<visible { add(v[j], times: weights[j] / sum, to: &y[i]) }
            for j in 0..<visible {
                let p = weights[j] / sum
                let ds = Double(scale) * p * (dot(dy[i], v[j]) - dot(dy[i], y[i]))
                add(dy[i], times: p, to: &dv[j])
                add(k[j], times: ds, to: &dq[i])
                add(q[i], times: ds, to: &dk[j])
            }
        }
        return [y, dq, dk, dv].map { Tensor($0.joined().map { Float($0) }, shape: [count, width]) }
    }

    private var zeros: [[Double]] { Array(repeating: Array(repeating: 0, count: width), count: count) }

    private func rows(_ x: Tensor, _ round: (Float) -> Float) -> [[Double]] {
        (0..<count).map { x.row($0).values.map { Double(round($0)) } }
    }

    private func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

    private func add(_ x: [Double], times factor: Double, to y: inout [Double]) {
        for d in 0..<width { y[d] += factor * x[d] }
    }
}

struct AttentionKernelTests {
    @Test(arguments: HeadCase.all)
    private func `attention and its gradients are those of double precision`(example: HeadCase) {
        let reference = example.reference()
        for isa in HeadCase.instructionSets {
            let results = unsafe example.compute(
                isa,
                workspace: fs_attention_workspace,
                forward: fs_attention_forward,
                backward: fs_attention_backward
            )
            for (result, expected) in zip(results, reference) {
                #expect(relativeError(result, expected) < 3e-6)
            }
        }
    }

    /// A weight rounded to bfloat16 is off by 2⁻⁹ of itself at most, and so is every factor of a gradient; differences
    /// of such products by somewhat more.
    @Test(arguments: HeadCase.all)
    private func `with rounded factors they are off by their rounding`(example: HeadCase) {
        let reference = example.reference { Float(bfloat16: $0) }
        for isa in HeadCase.bfloat16Sets {
            let results = unsafe example.compute(
                isa,
                workspace: fs_attention_workspace_bf16,
                forward: fs_attention_forward_bf16,
                backward: fs_attention_backward_bf16
            )
            for (result, expected) in zip(results, reference) {
                #expect(relativeError(result, expected) < 1e-2)
            }
        }
    }

    @Test(arguments: HeadCase.normalized)
    private func `heads may be normalised on their way in and rounded on their way out`(example: HeadCase) {
        let reference = example.reference { Float(bfloat16: $0) }[0]
        for isa in HeadCase.bfloat16Sets {
            #expect(relativeError(example.computeNormalized(isa), reference) < 1e-2)
        }
    }

    @Test(.enabled(if: Precision.isBFloat16Fast, "this CPU does not multiply bf16"), arguments: [32, 40])
    func `an attention that rounds its results is one without, between norms of its own`(width: Int) throws {
        let heads = 3
        let tensors = (0..<6).map {
            randomTensor([2, $0 % 2 == 0 ? 7 : 4, heads * width], seed: 40 + UInt64($0))
        }
        let norms = (0..<2).map { stream in
            let weights = (0..<2).map {
                Parameter(frozen: randomTensor([width], seed: 50 + 2 * UInt64(stream) + UInt64($0)))
            }
            return HeadNorms(query: weights[0], key: weights[1])
        }
        let weight = Parameter(
            frozen: FrozenWeight(StoredTensor(randomTensor([9, heads * width], seed: 60))),
            .bfloat16
        )
        func mapped(rounding: Bool) -> [Tensor] {
            let tape = Tape()
            let inputs = tensors.map { Variable(constant: $0.copied()) }
            let attended = tape.attention(
                queries: Array(inputs[0..<2]),
                keys: Array(inputs[2..<4]),
                values: Array(inputs[4..<6]),
                norms: norms,
                heads: heads,
                precision: .bfloat16,
                rounding: rounding
            )
            return attended.map { attended in
                switch attended {
                case .floats(let x): tape.linear(x, weight: weight).value.copied()
                case .rounded(let x): tape.linear(x, weight: weight).value.copied()
                }
            }
        }
        for (joined, apart) in zip(mapped(rounding: true), mapped(rounding: false)) {
            #expect(relativeError(joined, apart) < 5e-3)
        }
    }
}
