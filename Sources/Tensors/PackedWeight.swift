import CKernels

/// How products with a frozen weight are computed; activations, sums and results are 32-bit floats either way.
package enum Precision: String, Sendable, Codable, CaseIterable {
    case float32 = "fp32"
    /// The weight is rounded to bfloat16 and, where the CPU multiplies bfloat16, so are the activations it meets.
    case bfloat16 = "bf16"

    /// True where the CPU multiplies bfloat16 (AVX512-BF16); elsewhere only memory is saved.
    package static var isBFloat16Fast: Bool { fs_has_bf16_products() != 0 }
}

/// A frozen weight `[O, I]` laid out once for the products it takes part in, x · Wᵀ and dy · W.
package final class PackedWeight: Sendable {
    /// What products read.
    enum Layout: Sendable {
        /// Panels for x · Wᵀ and for dy · W, of 32-bit floats or of pairs of bfloat16.
        case panels(forward: Storage, backward: Storage, Precision)
        /// The weight in bfloat16 as it stands; products pack it in passing.
        case bfloat16(Storage)
    }

    let layout: Layout

    /// - Parameters:
    ///   - weight: `[O, I]`; further axes count as `I`.
    ///   - precision: panels of 32-bit floats take twice the weight's memory; bfloat16 takes as much as the
    ///     weight where it is fast, half elsewhere.
    package init(_ weight: Tensor, precision: Precision) {
        switch precision {
        case .bfloat16 where !Precision.isBFloat16Fast:
            let rounded = Storage(zeroed: (weight.count + 1) / 2)
            unsafe fs_float_to_bfloat16(weight.pointer, rounded.base, weight.count)
            layout = .bfloat16(rounded)
        case .bfloat16, .float32:
            let outputs = weight.shape[0]
            let inputs = weight.count / outputs
            let forward = unsafe Matrix(weight.pointer, stride: inputs, transposed: true)
            let backward = unsafe Matrix(weight.pointer, stride: inputs)
            layout = unsafe .panels(
                forward: forward.panels(n: outputs, k: inputs, precision),
                backward: backward.panels(n: inputs, k: outputs, precision),
                precision
            )
        }
    }
}

extension Matrix {
    /// The right-hand matrix of x · Wᵀ (`transposed`) or of dy · W.
    init(_ weight: Tensor, packed: PackedWeight?, transposed: Bool) {
        let form: Form
        switch packed?.layout {
        case .none: unsafe form = .rows
        case .panels(let forward, let backward, let precision):
            unsafe form = .panels((transposed ? forward : backward).base, precision)
        case .bfloat16(let rounded):
            unsafe form = .bfloat16Rows(UnsafeRawPointer(rounded.base))
        }
        let stride = weight.count / weight.shape[0]
        unsafe self.init(weight.pointer, stride: stride, transposed: transposed, form: form)
    }

    /// The matrix `[k, n]` laid out for products.
    func panels(n: Int, k: Int, _ precision: Precision) -> Storage {
        var matrix = unsafe kernelMatrix
        let isa = InstructionSet.best
        switch precision {
        case .float32:
            let panels = Storage(zeroed: fs_packed_size(isa, n, k))
            unsafe fs_pack(isa, &matrix, n, k, panels.base)
            return panels
        case .bfloat16:
            let panels = Storage(zeroed: fs_packed_size_bf16(isa, n, k))
            unsafe fs_pack_bf16(isa, &matrix, n, k, panels.base)
            return panels
        }
    }
}
