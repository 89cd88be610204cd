import COpenBLAS

/// Rows of floats in memory, `stride` apart, read as they stand or transposed.
@unsafe
struct Matrix {
    let pointer: UnsafePointer<Float>
    let stride: Int
    let transposed: Bool

    init(_ pointer: UnsafePointer<Float>, stride: Int, transposed: Bool = false) {
        unsafe self.pointer = pointer
        unsafe self.stride = stride
        unsafe self.transposed = transposed
    }
}

/// The one door to BLAS: C = α · A · B + β · C, A `[m, k]`, B `[k, n]`, C `[m, n]` with rows `stride` apart.
func multiply(
    _ a: Matrix,
    _ b: Matrix,
    into c: UnsafeMutablePointer<Float>,
    stride: Int,
    m: Int,
    n: Int,
    k: Int,
    alpha: Float = 1,
    beta: Float = 0
) {
    guard m > 0, n > 0 else { return }
    unsafe cblas_sgemm(
        CblasRowMajor,
        a.transposed ? CblasTrans : CblasNoTrans,
        b.transposed ? CblasTrans : CblasNoTrans,
        blasint(m),
        blasint(n),
        blasint(k),
        alpha,
        a.pointer,
        blasint(a.stride),
        b.pointer,
        blasint(b.stride),
        beta,
        c,
        blasint(stride)
    )
}

/// How many threads BLAS may use inside one product; lanes already use the cores, so one.
package func setProductThreadCount(_ count: Int) { openblas_set_num_threads(Int32(count)) }
