import CKernels
import Foundation
import TestSupport
import Testing

@testable import Tensors

/// A product on one instruction set, with both factors read as they stand or transposed.
private struct ProductCase: CustomTestStringConvertible {
    var m: Int
    var n: Int
    var k: Int
    var isLeftTransposed = false
    var isRightTransposed = false
    var adding = false
    /// Inner extent of a second pair of factors; 0: none.
    var tail = 0

    var testDescription: String {
        "\(m)×\(n)×\(k)\(isLeftTransposed ? ", Aᵀ" : "")\(isRightTransposed ? ", Bᵀ" : "")\(adding ? ", adding" : "")"
    }

    /// Extents around every edge of tiles, panels and blocks.
    static let all: [ProductCase] = [
        (1, 1, 1), (3, 5, 7), (8, 33, 20), (13, 31, 65), (200, 50, 30), (30, 70, 800),
    ]
    .flatMap { m, n, k in
        [(false, false), (false, true), (true, false), (true, true)].flatMap { left, right in
            [false, true].map { adding in
                ProductCase(
                    m: m,
                    n: n,
                    k: k,
                    isLeftTransposed: left,
                    isRightTransposed: right,
                    adding: adding
                )
            }
        }
    }

    /// Every instruction set that this machine can run.
    static let instructionSets = [FS_ISA_PORTABLE, FS_ISA_AVX2, FS_ISA_AVX512].filter {
        $0.rawValue <= fs_best_isa().rawValue
    }

    /// Those of them that have products in bfloat16, spelled out or by instruction.
    static let bfloat16Sets = [FS_ISA_PORTABLE] + (fs_has_bf16_products() != 0 ? [FS_ISA_AVX512] : [])

    var left: Tensor { randomTensor(isLeftTransposed ? [k, m] : [m, k], seed: 1) }
    var right: Tensor { randomTensor(isRightTransposed ? [n, k] : [k, n], seed: 2) }
    var bias: Tensor { randomTensor([n], seed: 3) }
    var start: Tensor { randomTensor([m, n], seed: 4) }
    /// A second left factor `[m, tail]` and the transpose of a second right one, `[n, tail]`.
    var leftTail: Tensor { randomTensor([m, max(1, tail)], seed: 7) }
    var rightTail: Tensor { randomTensor([n, max(1, tail)], seed: 8) }

    /// In double precision, from factors rounded by `round`, the left one after `function`.
    func reference(
        rounding round: (Float) -> Float = { $0 }
    ) -> Tensor {
        let (a, b) = (left.values.map(round), right.values.map(round))
        let (bias, start) = (bias.values, start.values)
        let (leftTail, rightTail) = (leftTail.values, rightTail.values)
        var result: [Float] = []
        for i in 0..<m {
            for j in 0..<n {
                var sum = Double(bias[j]) + (adding ? Double(start[i * n + j]) : 0)
                for p in 0..<k {
                    let x = a[isLeftTransposed ? p * m + i : i * k + p]
                    let y = b[isRightTransposed ? j * k + p : p * n + j]
                    sum += Double(x) * Double(y)
                }
                for p in 0..<tail {
                    sum += Double(leftTail[i * tail + p]) * Double(rightTail[j * tail + p])
                }
                result.append(Float(sum))
            }
        }
        return Tensor(result, shape: [m, n])
    }

    /// What a kernel makes of it; `body` is given the arguments and a workspace.
    func compute(
        panels: Tensor? = nil,
        turned: Tensor? = nil,
        isNarrow: Bool = false,
        _ body: (inout fs_product_arguments, UnsafeMutablePointer<Float>) -> Void
    ) -> Tensor {
        let (a, b, bias, result) = (left, right, bias, start.copied())
        let (leftTail, rightTail) = (leftTail, rightTail)
        defer { withExtendedLifetime((a, b, bias, panels, turned, leftTail, rightTail)) {} }
        let workspace = Tensor.zeros([fs_product_workspace(n, k, tail)])
        var arguments = unsafe fs_product_arguments(
            a: a.pointer,
            a_pairs: nil,
            a_row_stride: isLeftTransposed ? 1 : k,
            a_column_stride: isLeftTransposed ? m : 1,
            b: rightMatrix(b),
            panels: panels.map { unsafe UnsafePointer($0.pointer) },
            turned: turned.map { unsafe UnsafePointer($0.pointer) },
            turned_k: n,
            turned_first: 0,
            c: result.pointer,
            gelu_pairs: nil,
            c_stride: n,
            m: m,
            n: n,
            k: k,
            bias: bias.pointer,
            adding: adding ? 1 : 0,
            gates: nil,
            gate_stride: 0,
            gate_start: 0,
            rows_per_gate: 0,
            is_narrow: isNarrow ? 1 : 0,
            tail_a: leftTail.pointer,
            tail_a_row_stride: tail,
            tail_b: fs_right_matrix(
                elements: rightTail.pointer,
                type: FS_FLOAT32,
                row_stride: 1,
                column_stride: tail
            ),
            tail_k: tail
        )
        unsafe body(&arguments, workspace.pointer)
        return result
    }

    /// The right factor in panels.
    func packed(_ isa: fs_isa, _ precision: Precision) -> Tensor {
        let right = right
        defer { withExtendedLifetime(right) {} }
        var matrix = unsafe rightMatrix(right)
        switch precision {
        case .float32:
            let panels = Tensor.zeros([fs_packed_size(isa, n, k)])
            unsafe fs_pack(isa, &matrix, n, k, panels.pointer)
            return panels
        case .bfloat16:
            let panels = Tensor.zeros([fs_packed_size_bf16(isa, n, k)])
            unsafe fs_pack_bf16(isa, &matrix, n, k, panels.pointer)
            return panels
        }
    }

    func rightMatrix(_ right: Tensor) -> fs_right_matrix {
        unsafe fs_right_matrix(
            elements: right.pointer,
            type: FS_FLOAT32,
            row_stride: isRightTransposed ? 1 : n,
            column_stride: isRightTransposed ? k : 1
        )
    }
}

@Suite struct ProductTests {
    @Test(arguments: ProductCase.all)
    private func `products agree with double precision on every instruction set`(example: ProductCase) {
        let reference = example.reference()
        for isa in ProductCase.instructionSets {
            let result = unsafe example.compute { unsafe fs_product(isa, &$0, $1) }
            #expect(relativeError(result, reference) < 1e-6, "instruction set \(isa.rawValue)")
            guard example.isRightTransposed, !example.isLeftTransposed else { continue }
            let narrow = unsafe example.compute(isNarrow: true) { unsafe fs_product(isa, &$0, $1) }
            #expect(relativeError(narrow, reference) < 1e-6, "narrow, instruction set \(isa.rawValue)")
        }
    }

    @Test(arguments: ProductCase.all)
    private func `a matrix packed beforehand gives the same product`(example: ProductCase) {
        let reference = example.reference()
        for isa in ProductCase.instructionSets {
            let panels = example.packed(isa, .float32)
            let result = unsafe example.compute(panels: panels) { unsafe fs_product(isa, &$0, $1) }
            #expect(relativeError(result, reference) < 1e-6, "instruction set \(isa.rawValue)")
        }
    }

    @Test(arguments: ProductCase.all, [1, 16])
    private func `a second pair of factors is added to a product, packed, narrow or not`(
        example: ProductCase,
        tail: Int
    ) {
        var example = example
        example.tail = tail
        let reference = example.reference()
        for isa in ProductCase.instructionSets {
            let result = unsafe example.compute { unsafe fs_product(isa, &$0, $1) }
            #expect(relativeError(result, reference) < 1e-6, "instruction set \(isa.rawValue)")
            let panels = example.packed(isa, .float32)
            let packed = unsafe example.compute(panels: panels) { unsafe fs_product(isa, &$0, $1) }
            #expect(relativeError(packed, reference) < 1e-6, "packed, instruction set \(isa.rawValue)")
            guard example.isRightTransposed, !example.isLeftTransposed else { continue }
            let narrow = unsafe example.compute(isNarrow: true) { unsafe fs_product(isa, &$0, $1) }
            #expect(relativeError(narrow, reference) < 1e-6, "narrow, instruction set \(isa.rawValue)")
        }
    }

    @Test(arguments: ProductCase.all)
    private func `bfloat16 products are exact sums of rounded factors`(example: ProductCase) {
        let reference = example.reference { Float(bfloat16: $0) }
        for isa in ProductCase.bfloat16Sets {
            let panels = example.packed(isa, .bfloat16)
            let result = unsafe example.compute(panels: panels) { unsafe fs_product_bf16(isa, &$0, $1) }
            #expect(relativeError(result, reference) < 1e-6, "instruction set \(isa.rawValue)")
        }
    }

    @Test(arguments: ProductCase.all.filter { !$0.isLeftTransposed })
    private func `rows rounded beforehand give the same product, bit for bit`(example: ProductCase) {
        let pairs = example.left.pairs()
        for isa in ProductCase.bfloat16Sets {
            let panels = example.packed(isa, .bfloat16)
            let expected = unsafe example.compute(panels: panels) { unsafe fs_product_bf16(isa, &$0, $1) }
            let result = unsafe example.compute(panels: panels) { arguments, workspace in
                unsafe pairs.withUnsafeBufferPointer { pairs in
                    unsafe arguments.a = nil
                    unsafe arguments.a_pairs = pairs.baseAddress
                    unsafe arguments.a_row_stride = (example.k + 1) / 2
                    unsafe fs_product_bf16(isa, &arguments, workspace)
                }
            }
            #expect(result.values == expected.values, "instruction set \(isa.rawValue)")
        }
    }

    /// The instructions' GELU is off by 2⁻¹² of a value at most, which now and then is rounded the other way.
    @Test(arguments: ProductCase.all.filter { !$0.isLeftTransposed && !$0.adding })
    private func `a product of rounded rows may leave through GELU, rounded`(example: ProductCase) {
        let sums = example.reference { Float(bfloat16: $0) }
        let activated = sums.values.map {
            Float(bfloat16: 0.5 * $0 * (1 + tanh(0.797_884_56 * ($0 + 0.044_715 * $0 * $0 * $0))))
        }
        let reference = Tensor(activated, shape: sums.shape)
        let (pairs, stride) = (example.left.pairs(), (example.n + 1) / 2)
        for isa in ProductCase.bfloat16Sets {
            let panels = example.packed(isa, .bfloat16)
            var rounded = [UInt32](repeating: .max, count: example.m * stride)
            _ = unsafe example.compute(panels: panels) { arguments, workspace in
                unsafe pairs.withUnsafeBufferPointer { pairs in
                    unsafe rounded.withUnsafeMutableBufferPointer { rounded in
                        unsafe (arguments.a, arguments.c) = (nil, nil)
                        unsafe arguments.a_pairs = pairs.baseAddress
                        unsafe arguments.a_row_stride = (example.k + 1) / 2
                        unsafe arguments.gelu_pairs = rounded.baseAddress
                        unsafe arguments.c_stride = stride
                        unsafe fs_product_bf16(isa, &arguments, workspace)
                    }
                }
            }
            let result = Tensor(pairs: rounded, shape: sums.shape)
            #expect(relativeError(result, reference) < 2e-3, "instruction set \(isa.rawValue)")
            guard example.n % 2 == 1 else { continue }
            let ends = (1...example.m).map { rounded[$0 * stride - 1] >> 16 }
            #expect(ends.allSatisfy { $0 == 0 }, "instruction set \(isa.rawValue)")
        }
    }

    @Test(arguments: ProductCase.all.filter(\.adding), [(1, 0), (5, 3), (1000, 0)])
    private func `a bfloat16 product may be gated where it is added`(
        example: ProductCase,
        gating: (rowsPerGate: Int, start: Int)
    ) {
        let (n, start) = (example.n, example.start.values)
        let samples = (gating.start + example.m - 1) / gating.rowsPerGate + 1
        let gates = randomTensor([samples, n + 1], seed: 11)
        var alone = example
        alone.adding = false
        let sums = alone.reference { Float(bfloat16: $0) }.values
        let reference = (0..<example.m * n).map { index in
            let sample = (gating.start + index / n) / gating.rowsPerGate
            return start[index] + gates.values[sample * (n + 1) + index % n] * sums[index]
        }
        for isa in ProductCase.bfloat16Sets {
            let panels = example.packed(isa, .bfloat16)
            let result = unsafe example.compute(panels: panels) { arguments, workspace in
                unsafe arguments.gates = UnsafePointer(gates.pointer)
                unsafe arguments.gate_stride = n + 1
                unsafe arguments.gate_start = gating.start
                unsafe arguments.rows_per_gate = gating.rowsPerGate
                unsafe fs_product_bf16(isa, &arguments, workspace)
            }
            let expected = Tensor(reference, shape: result.shape)
            #expect(relativeError(result, expected) < 1e-6, "instruction set \(isa.rawValue)")
        }
    }

    /// Widths of which columns, and of which rows, are shared with idle lanes.
    @Test(.enabled(if: Precision.isBFloat16Fast, "this CPU does not multiply bf16"), arguments: [40, 96])
    func `a residual of a map of rounded rows is that of the map's result`(width: Int) {
        let (samples, tokens) = (3, 40)
        let x = randomTensor([samples, tokens, width], seed: 36)
        let modulation = Modulation(
            Variable(constant: randomTensor([samples, 3 * width], seed: 37)),
            width: width
        )
        let weight = Parameter(
            frozen: FrozenWeight(StoredTensor(randomTensor([width, width], seed: 38))),
            .bfloat16
        )
        let bias = Parameter(frozen: randomTensor([width], seed: 39))
        func rounded(on tape: Tape) -> RoundedRows? {
            let norm = tape.layerNorm(
                Variable(constant: x),
                modulation: modulation,
                shift: 0,
                scale: 1,
                rounding: true
            )
            guard case .rounded(let rows) = norm else { return nil }
            return rows
        }
        let (plain, pool) = (Tape(), LanePool(count: 2))
        let branch = rounded(on: plain).map { plain.linear($0, weight: weight, bias: bias) }
        let apart = branch.map {
            plain.gatedResidual(Variable(constant: x.copied()), $0, modulation: modulation, gate: 2)
        }
        var joined: Tensor?
        pool.forEachShare(of: 1) { lane, _ in
            joined = rounded(on: lane.tape).map {
                lane.tape.gatedResidual(
                    Variable(constant: x.copied()),
                    .mapped($0, weight: weight, bias: bias),
                    modulation: modulation,
                    gate: 2
                )
                .value
            }
        }
        guard let apart, let joined else {
            Issue.record("a norm that may round did not")
            return
        }
        #expect(relativeError(joined, apart.value) < 1e-6)
    }

    @Test(.enabled(if: Precision.isBFloat16Fast, "this CPU does not multiply bf16"), arguments: [40, 41])
    func `maps of rows that a norm has rounded are those of the rows themselves`(width: Int) throws {
        let x = Variable(constant: randomTensor([2, 3, width], seed: 30))
        let modulation = Modulation(Variable(constant: randomTensor([2, 2 * width], seed: 31)), width: width)
        let maps = [(7, width, 32), (5, 7, 33)].map { outputs, inputs, seed in
            let weight = randomTensor([outputs, inputs], seed: UInt64(seed))
            return Parameter(frozen: FrozenWeight(StoredTensor(weight)), .bfloat16)
        }
        let bias = Parameter(frozen: randomTensor([7], seed: 34))
        let (tape, plain) = (Tape(), Tape())
        #expect(tape.readsRounded(maps[0]))
        guard
            case .rounded(let rounded) = tape.layerNorm(
                x,
                modulation: modulation,
                shift: 0,
                scale: 1,
                rounding: true
            )
        else {
            Issue.record("a norm that may round did not")
            return
        }
        let normalized = plain.layerNorm(x, modulation: modulation, shift: 0, scale: 1)
        let mapped = plain.linear(normalized, weight: maps[0], bias: bias)
        #expect(tape.linear(rounded, weight: maps[0], bias: bias).value.values == mapped.value.values)
        let activated = plain.activation(.geluTanh, mapped)
        let apart = plain.linear(activated, weight: maps[1]).value
        let inner = tape.linearThroughGELU(rounded, weight: maps[0], bias: bias, consuming: true)
        let joined = tape.linear(inner, weight: maps[1], consuming: true).value
        #expect(relativeError(joined, apart) < 2e-3)
    }

    @Test func `nothing is rounded ahead of products in full precision or on a tape that records`() {
        let weight = FrozenWeight(StoredTensor(randomTensor([4, 4], seed: 35)))
        let tape = Tape()
        #expect(!tape.readsRounded(Parameter(frozen: weight, .float32)))
        tape.beginStep()
        #expect(!tape.readsRounded(Parameter(frozen: weight, .bfloat16)))
    }

    @Test(arguments: ProductCase.all)
    private func `panels of a transpose give the product of panels of the matrix, bit for bit`(
        example: ProductCase
    ) {
        for isa in ProductCase.bfloat16Sets {
            let right = example.right
            var matrix = unsafe example.rightMatrix(right)
            var transpose = unsafe matrix
            unsafe (transpose.row_stride, transpose.column_stride) = unsafe (
                matrix.column_stride, matrix.row_stride
            )
            let panels = Tensor.zeros([fs_packed_size_bf16(isa, example.n, example.k)])
            unsafe fs_pack_bf16(isa, &matrix, example.n, example.k, panels.pointer)
            let turned = Tensor.zeros([fs_packed_size_bf16(isa, example.k, example.n)])
            unsafe fs_pack_bf16(isa, &transpose, example.k, example.n, turned.pointer)
            withExtendedLifetime(right) {}
            let expected = unsafe example.compute(panels: panels) { unsafe fs_product_bf16(isa, &$0, $1) }
            let result = unsafe example.compute(turned: turned) { unsafe fs_product_bf16(isa, &$0, $1) }
            #expect(result.values == expected.values, "instruction set \(isa.rawValue)")
        }
    }

    @Test func `a row's product is the same in whatever company`() {
        let x = randomTensor([300, 70], seed: 9)
        let weight = Parameter(frozen: randomTensor([90, 70], seed: 10))
        func product(_ rows: Tensor) -> [Float] {
            Tape().linear(Variable(constant: rows.reshaped([1] + rows.shape)), weight: weight).value.values
        }
        let all = product(x)
        #expect(product(x.rows(0..<1)) == Array(all[..<90]))
        #expect(product(x.rows(100..<117)) == Array(all[9000..<10530]))
    }

    @Test func `products and attention shared between lanes are those of one lane`() {
        let x = randomTensor([1, 300, 128], seed: 7)
        let weight = Parameter(frozen: randomTensor([512, 128], seed: 8))
        let pool = LanePool(count: 3)
        func compute(on tape: Tape) -> Tensor {
            let y = tape.linear(Variable(constant: x), weight: weight)
            return tape.attention(queries: [y], keys: [y], values: [y], heads: 4)[0].value.copied()
        }
        let alone = compute(on: Tape())
        let shared = LaneResults(repeating: Tensor.zeros([1]), count: 3)
        // How soon the others wake is the system's choice, so they get many chances.
        var haveHelped = false
        for _ in 0..<500 where !haveHelped {
            pool.forEachShare(of: 1) { lane, _ in
                lane.tape.reset()
                shared[lane.index] = compute(on: lane.tape)
            }
            #expect(shared[0].values == alone.values)
            haveHelped = pool.lanes.dropFirst().contains { $0.tape.arena.capacity > 0 }
        }
        #expect(haveHelped)
    }

    @Test func `lanes that are done early help the one that is late, with the same results`() {
        let x = randomTensor([1, 200, 96], seed: 11)
        let weight = Parameter(frozen: randomTensor([400, 96], seed: 12))
        let expected = Tape().linear(Variable(constant: x), weight: weight).value.values
        let pool = LanePool(count: 3)
        let wrong = LaneResults(repeating: 0, count: 3)
        for _ in 0..<20 {
            pool.forEachShare(of: 3) { lane, _ in
                for _ in 0..<(lane.index == 1 ? 20 : 1) {
                    lane.tape.reset()
                    let y = lane.tape.linear(Variable(constant: x), weight: weight)
                    if y.value.values != expected { wrong[lane.index] += 1 }
                }
            }
        }
        #expect(wrong.values == [0, 0, 0])
    }
}

extension Float {
    /// Rounded to the nearest bfloat16.
    init(bfloat16 value: Float) {
        let tensor = Tensor([value], shape: [1])
        self = Tensor(decoding: tensor.encoded(as: .bfloat16), as: .bfloat16, shape: [1]).scalar
    }
}

extension Tensor {
    /// Rows in bfloat16, two numbers to an element.
    func pairs() -> [UInt32] {
        let width = shape[1]
        let numbers = values.map { Float(bfloat16: $0).bitPattern >> 16 }
        return (0..<shape[0]).flatMap { row in
            stride(from: 0, to: width, by: 2).map { column in
                numbers[row * width + column]
                    | (column + 1 < width ? numbers[row * width + column + 1] << 16 : 0)
            }
        }
    }

    init(pairs: [UInt32], shape: [Int]) {
        let perRow = (shape[1] + 1) / 2
        let values = (0..<shape[0]).flatMap { row in
            (0..<shape[1]).map { column in
                let pair = pairs[row * perRow + column / 2]
                return Float(bitPattern: column % 2 == 0 ? pair << 16 : pair & 0xffff_0000)
            }
        }
        self.init(values, shape: shape)
    }
}
