import CKernels
import COpenBLAS

/// What decides the last digits of a result: the kernels chosen for this processor, and those of BLAS.
package enum ProcessorKind {
    /// This process's, for example `kernels 3, BLAS SkylakeX`.
    ///
    /// Equal programs on processors of equal kind compute equal bytes; of others nothing is promised.
    package static let present: String = {
        let blas = unsafe openblas_get_corename().map { unsafe String(cString: $0) } ?? "unknown"
        return "kernels \(InstructionSet.best.rawValue), BLAS \(blas)"
    }()
}
