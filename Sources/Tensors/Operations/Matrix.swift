import CKernels

/// A matrix in memory, its rows `stride` numbers apart, read as it stands or transposed.
@unsafe
struct Matrix {
    /// What its numbers are read from; left-hand matrices are `rows` or `pairs`.
    @unsafe
    enum Form {
        case rows(UnsafePointer<Float>)
        /// Rows of bfloat16.
        case bfloat16Rows(UnsafeRawPointer)
        /// A left-hand matrix's rows of bfloat16, two numbers to an element, of which `stride` counts.
        case pairs(UnsafePointer<UInt32>)
        /// Laid out for products before; a row of a panel is 32 bits wide for every column.
        case panels(UnsafePointer<Float>, Precision)
        /// Panels in bfloat16 of the transpose, which has `k` rows, of which the matrix begins with the row `first`.
        case turnedPanels(UnsafePointer<Float>, k: Int, first: Int)
    }

    let form: Form
    let stride: Int
    let transposed: Bool

    init(_ form: Form, stride: Int, transposed: Bool) {
        unsafe self.form = form
        unsafe self.stride = stride
        unsafe self.transposed = transposed
    }

    init(_ pointer: UnsafePointer<Float>, stride: Int, transposed: Bool = false) {
        unsafe self.init(.rows(pointer), stride: stride, transposed: transposed)
    }

    /// The first of its floats.
    var pointer: UnsafePointer<Float> {
        guard case .rows(let pointer) = unsafe form else { preconditionFailure("a matrix of no floats") }
        return unsafe pointer
    }

    /// Elements from one row to the next and from one column to the next, of the matrix as it is read.
    var strides: (row: Int, column: Int) { unsafe transposed ? (1, stride) : (stride, 1) }

    /// The matrix as kernels take it; of no elements where products read panels alone.
    var kernelMatrix: fs_right_matrix {
        var matrix = unsafe fs_right_matrix()
        unsafe (matrix.row_stride, matrix.column_stride) = unsafe strides
        switch unsafe form {
        case .rows(let floats):
            unsafe matrix.elements = UnsafeRawPointer(floats)
            unsafe matrix.type = FS_FLOAT32
        case .bfloat16Rows(let elements):
            unsafe matrix.elements = elements
            unsafe matrix.type = FS_BFLOAT16
        case .pairs, .panels, .turnedPanels: break
        }
        return unsafe matrix
    }

    /// The matrix without its first `count` columns, of `k` rows; panels are cut at multiples of their width.
    func dropping(columns count: Int, k: Int) -> Matrix {
        let step = unsafe count * strides.column
        let rest: Form
        switch unsafe form {
        case .rows(let floats): unsafe rest = .rows(floats + step)
        case .bfloat16Rows(let elements):
            unsafe rest = .bfloat16Rows(elements + step * ScalarType.bfloat16.byteCount)
        case .panels(let panels, let precision):
            unsafe rest = .panels(panels + count * (precision == .bfloat16 ? (k + 1) / 2 : k), precision)
        case .turnedPanels(let panels, let rows, let first):
            unsafe rest = .turnedPanels(panels, k: rows, first: first + count)
        case .pairs: preconditionFailure("pairs are left-hand matrices, of which no columns are taken")
        }
        return unsafe Matrix(rest, stride: stride, transposed: transposed)
    }

    /// The left-hand matrix without its first `count` rows.
    func dropping(rows count: Int) -> Matrix {
        if case .pairs(let pairs) = unsafe form {
            return unsafe Matrix(.pairs(pairs + count * stride), stride: stride, transposed: false)
        }
        return unsafe Matrix(pointer + count * strides.row, stride: stride, transposed: transposed)
    }
}
