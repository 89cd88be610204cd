import CKernels
import COpenBLAS

/// What decides the last digits of a result: the kernels chosen for this processor, and those of BLAS.
package enum ProcessorKind {
    /// This process's, for example `kernels 3, BLAS SkylakeX`.
    ///
    /// Equal programs on processors of equal kind compute equal bytes; of others nothing is promised.
    package static let present = "kernels \(InstructionSet.best.rawValue), BLAS \(blas)"

    /// What the kernels are written in that run here.
    package enum Kernels: String, Sendable {
        case portable
        case avx2 = "AVX2"
        case avx512 = "AVX-512"
    }

    package static let kernels: Kernels =
        switch InstructionSet.best {
        case FS_ISA_AVX512: .avx512
        case FS_ISA_AVX2: .avx2
        default: .portable
        }

    /// The processor that BLAS chose its kernels for, in its own words.
    package static let blas: String =
        unsafe openblas_get_corename().map { unsafe String(cString: $0) } ?? "unknown"
}
