import CKernels
import COpenBLAS

/// A second pair of factors, A' `[m, k]` · B' `[k, n]`, whose product is added to the first's before it is
/// written: the low-rank update of a linear map.
@unsafe
struct ProductTail {
    let a: Matrix
    let b: Matrix
    let k: Int
}

/// What a product is multiplied by, element by element, before it is added to C: a row of `n` numbers for every
/// `rowsPerGate` rows of C.
@unsafe
struct ProductGates {
    private(set) var pointer: UnsafePointer<Float>
    let stride: Int
    let rowsPerGate: Int
    /// The row of all gated ones that C begins with.
    private(set) var start = 0

    init(_ pointer: UnsafePointer<Float>, stride: Int, rowsPerGate: Int) {
        unsafe self.pointer = pointer
        unsafe self.stride = stride
        unsafe self.rowsPerGate = rowsPerGate
    }

    func dropping(columns count: Int) -> ProductGates {
        var rest = unsafe self
        unsafe rest.pointer += count
        return unsafe rest
    }

    func dropping(rows count: Int) -> ProductGates {
        var rest = unsafe self
        unsafe rest.start += count
        return unsafe rest
    }
}

/// Extents of C `[m, n]` = A `[m, k]` · B `[k, n]`.
struct ProductShape {
    let m: Int
    let n: Int
    let k: Int
    /// A row a sample instead of a token: too few to pay for packing B, however many samples there are.
    var isNarrow = false
}

extension Tape {
    /// The one door to matrix products: C = A · B + tail + bias, or C += when `adding`; rows of C are `stride`
    /// apart.
    ///
    /// Our kernels pack a weight while it is in the cache and take the bias along; OpenBLAS has the products
    /// whose inner extent is 4096 or more, and CPUs that we have no kernel for. The columns of C, or the rows of
    /// a narrow one, are shared with idle lanes.
    ///
    /// - Parameter throughGELU: the result is taken through GELU and laid out as A, which is of pairs: `c` points at
    ///   two numbers to an element, of which `stride` counts.
    /// - Parameter gates: multiply what is added to C; B is packed in bfloat16.
    func multiply(
        _ a: Matrix,
        _ b: Matrix,
        into c: UnsafeMutablePointer<Float>,
        stride: Int,
        _ shape: ProductShape,
        bias: UnsafePointer<Float>? = nil,
        tail: ProductTail? = nil,
        adding: Bool = false,
        gates: ProductGates? = nil,
        throughGELU: Bool = false
    ) {
        guard shape.m > 0, shape.n > 0 else { return }
        let product = unsafe Product(
            a: a,
            b: b,
            c: c,
            stride: stride,
            shape: shape,
            bias: bias,
            tail: tail,
            adding: adding,
            gates: gates,
            throughGELU: throughGELU
        )
        let size = unsafe fs_product_workspace(shape.n, shape.k, tail?.k ?? 0)
        if shape.n >= 2 * widestPanel {
            let least = 1 + leastMultiplications / max(1, shape.m * shape.k * widestPanel)
            share((shape.n + widestPanel - 1) / widestPanel, least: least) { arena, range in
                let first = range.lowerBound * widestPanel
                let end = min(range.upperBound * widestPanel, shape.n)
                let part = unsafe product.columns(first..<end)
                arena.scratch(size) { unsafe part.compute($0.pointer) }
            }
        } else {
            share(shape.m, least: 1 + leastMultiplications / max(1, shape.n * shape.k)) { arena, range in
                let part = unsafe product.rows(range)
                arena.scratch(size) { unsafe part.compute($0.pointer) }
            }
        }
    }
}

/// C = A · B + bias, or C += when `adding`, on the calling thread alone: for parts of operations that lanes share.
///
/// - Parameter workspace: `fs_product_workspace(n, k, 0)` floats.
func multiplyAlone(
    _ a: Matrix,
    _ b: Matrix,
    into c: UnsafeMutablePointer<Float>,
    stride: Int,
    _ shape: ProductShape,
    bias: UnsafePointer<Float>? = nil,
    adding: Bool,
    workspace: UnsafeMutablePointer<Float>
) {
    unsafe Product(
        a: a,
        b: b,
        c: c,
        stride: stride,
        shape: shape,
        bias: bias,
        tail: nil,
        adding: adding,
        gates: nil,
        throughGELU: false
    )
    .compute(workspace)
}

/// Packed weights are cut at multiples of this many columns.
let widestPanel = 32
/// Multiplications worth a part of their own.
private let leastMultiplications = 1 << 19
/// The inner extent from which OpenBLAS, which also blocks for the third-level cache, is faster.
private let deepest = 4096

/// A product, or a part of one.
@unsafe
private struct Product {
    let a: Matrix
    let b: Matrix
    let c: UnsafeMutablePointer<Float>
    let stride: Int
    let shape: ProductShape
    let bias: UnsafePointer<Float>?
    let tail: ProductTail?
    let adding: Bool
    let gates: ProductGates?
    let throughGELU: Bool

    func columns(_ range: Range<Int>) -> Product {
        unsafe Product(
            a: a,
            b: b.dropping(columns: range.lowerBound, k: shape.k),
            c: c + (throughGELU ? range.lowerBound / 2 : range.lowerBound),
            stride: stride,
            shape: ProductShape(m: shape.m, n: range.count, k: shape.k, isNarrow: shape.isNarrow),
            bias: bias.map { unsafe $0 + range.lowerBound },
            tail: tail.map {
                unsafe ProductTail(a: $0.a, b: $0.b.dropping(columns: range.lowerBound, k: $0.k), k: $0.k)
            },
            adding: adding,
            gates: gates.map { unsafe $0.dropping(columns: range.lowerBound) },
            throughGELU: throughGELU
        )
    }

    func rows(_ range: Range<Int>) -> Product {
        unsafe Product(
            a: a.dropping(rows: range.lowerBound),
            b: b,
            c: c + range.lowerBound * stride,
            stride: stride,
            shape: ProductShape(m: range.count, n: shape.n, k: shape.k, isNarrow: shape.isNarrow),
            bias: bias,
            tail: tail.map { unsafe ProductTail(a: $0.a.dropping(rows: range.lowerBound), b: $0.b, k: $0.k) },
            adding: adding,
            gates: gates.map { unsafe $0.dropping(rows: range.lowerBound) },
            throughGELU: throughGELU
        )
    }

    /// The tail as a product of its own, added to what the first two factors left.
    private var rest: Product? {
        unsafe tail.map {
            unsafe Product(
                a: $0.a,
                b: $0.b,
                c: c,
                stride: stride,
                shape: ProductShape(m: shape.m, n: shape.n, k: $0.k),
                bias: nil,
                tail: nil,
                adding: true,
                gates: nil,
                throughGELU: false
            )
        }
    }

    func compute(_ workspace: UnsafeMutablePointer<Float>) {
        let isForBLAS =
            unsafe InstructionSet.best == FS_ISA_PORTABLE || (shape.k >= deepest && !shape.isNarrow)
        switch unsafe b.form {
        case .rows where isForBLAS:
            unsafe computeWithBLAS()
            unsafe rest?.compute(workspace)
        case .rows, .bfloat16Rows, .pairs, .panels(_, .float32):
            var arguments = unsafe arguments
            unsafe fs_product(InstructionSet.best, &arguments, workspace)
        case .panels(_, .bfloat16), .turnedPanels:
            var arguments = unsafe arguments
            unsafe fs_product_bf16(InstructionSet.best, &arguments, workspace)
            unsafe rest?.compute(workspace)
        }
    }

    private var arguments: fs_product_arguments {
        var arguments = unsafe fs_product_arguments()
        if let tail = unsafe tail {
            unsafe arguments.tail_a = tail.a.pointer
            unsafe arguments.tail_a_row_stride = tail.a.stride
            unsafe arguments.tail_b = tail.b.kernelMatrix
            unsafe arguments.tail_k = tail.k
        }
        if case .pairs(let pairs) = unsafe a.form {
            unsafe arguments.a_pairs = pairs
        } else {
            unsafe arguments.a = a.pointer
        }
        unsafe arguments.a_row_stride = a.strides.row
        unsafe arguments.a_column_stride = a.strides.column
        unsafe arguments.b = b.kernelMatrix
        switch unsafe b.form {
        case .rows, .bfloat16Rows, .pairs: break
        case .panels(let panels, _): unsafe arguments.panels = panels
        case .turnedPanels(let panels, let rows, let first):
            unsafe arguments.turned = panels
            unsafe arguments.turned_k = rows
            unsafe arguments.turned_first = first
        }
        if unsafe throughGELU {
            unsafe arguments.gelu_pairs = UnsafeMutableRawPointer(c).assumingMemoryBound(to: UInt32.self)
        } else {
            unsafe arguments.c = c
        }
        unsafe arguments.c_stride = stride
        unsafe arguments.m = shape.m
        unsafe arguments.n = shape.n
        unsafe arguments.k = shape.k
        unsafe arguments.bias = bias
        unsafe arguments.adding = adding ? 1 : 0
        if let gates = unsafe gates {
            unsafe arguments.gates = gates.pointer
            unsafe arguments.gate_stride = gates.stride
            unsafe arguments.gate_start = gates.start
            unsafe arguments.rows_per_gate = gates.rowsPerGate
        }
        unsafe arguments.is_narrow = isNarrow ? 1 : 0
        return unsafe arguments
    }

    /// Narrow, and laid out so that rows along k are contiguous.
    private var isNarrow: Bool {
        guard case .rows = unsafe b.form else { return false }
        return unsafe shape.isNarrow && b.transposed && !a.transposed
    }

    private func computeWithBLAS() {
        unsafe cblas_sgemm(
            CblasRowMajor,
            a.transposed ? CblasTrans : CblasNoTrans,
            b.transposed ? CblasTrans : CblasNoTrans,
            blasint(shape.m),
            blasint(shape.n),
            blasint(shape.k),
            1,
            a.pointer,
            blasint(a.stride),
            b.pointer,
            blasint(b.stride),
            adding ? 1 : 0,
            c,
            blasint(stride)
        )
        if let bias = unsafe bias { unsafe fs_add_bias(bias, c, shape.m, shape.n) }
    }
}

/// The instruction sets that kernels are written for.
enum InstructionSet {
    static let best = fs_best_isa()
}

/// How many threads BLAS may use inside one product; lanes already use the cores, so one.
package func setProductThreadCount(_ count: Int) { openblas_set_num_threads(Int32(count)) }
