import CKernels
import Synchronization

/// How products with a frozen weight are computed; activations, sums and results are 32-bit floats either way.
package enum Precision: String, Sendable, Codable, CaseIterable {
    case float32 = "fp32"
    /// The weight is rounded to bfloat16 and, where the CPU multiplies bfloat16, so are the activations it meets, and
    /// the factors of attention's products between such maps.
    case bfloat16 = "bf16"

    /// True where the CPU multiplies bfloat16 (AVX512-BF16); elsewhere only memory is saved.
    package static var isBFloat16Fast: Bool { fs_has_bf16_products() != 0 }

    /// Whether both factors of products are rounded to bfloat16.
    var roundsFactors: Bool { self == .bfloat16 && Self.isBFloat16Fast }
}

/// A weight that is never trained, in the forms that are read: each is made when it is first asked for, and shared by
/// every network made from the weight.
///
/// As a linear map `[O, I]`, further axes counting as `I`, it takes part in x · Wᵀ and dy · W. In 32-bit floats it is
/// laid out for each of the two, four bytes a number and product. In bfloat16 it takes two bytes a number for both:
/// where the CPU multiplies bfloat16 it is laid out for x · Wᵀ, out of which products dy · W lay out a few columns at
/// a time; elsewhere products read it row by row, in the file itself where that is of bfloat16. What it was made from
/// need not stay in memory.
package final class FrozenWeight: Sendable {
    /// The numbers as they came.
    package let stored: StoredTensor
    private let isBFloat16Fast: Bool
    private let forms = Mutex(Forms())

    private struct Forms {
        var floats: Tensor?
        /// Panels of 32-bit floats, for x · Wᵀ and for dy · W.
        var forward: Storage?
        var backward: Storage?
        /// Panels of pairs of bfloat16 for x · Wᵀ, or rows of bfloat16.
        var bfloat16: Storage?
    }

    package convenience init(_ stored: StoredTensor) {
        self.init(stored, isBFloat16Fast: Precision.isBFloat16Fast)
    }

    /// - Parameter isBFloat16Fast: products in bfloat16 are those of a CPU that has them.
    init(_ stored: StoredTensor, isBFloat16Fast: Bool) {
        self.stored = stored
        self.isBFloat16Fast = isBFloat16Fast
    }

    /// The numbers as 32-bit floats, converted once at most.
    package var floats: Tensor {
        guard !stored.areFloats else { return stored.floats }
        return forms.withLock { forms in
            if let floats = forms.floats { return floats }
            let floats = stored.floats
            stored.letGo()
            forms.floats = floats
            return floats
        }
    }

    /// Memory of the forms made so far, without that of the numbers as they came.
    var heldByteCount: Int {
        forms.withLock { forms in
            [forms.floats?.count, forms.forward?.count, forms.backward?.count, forms.bfloat16?.count]
                .reduce(0) { $0 + 4 * ($1 ?? 0) }
        }
    }

    /// What products x · Wᵀ (`transposed`) or dy · W read; it lives as long as the weight.
    func form(_ precision: Precision, transposed: Bool) -> Matrix.Form {
        switch precision {
        case .float32: unsafe .panels(panels(transposed: transposed).base, .float32)
        case .bfloat16 where isBFloat16Fast && transposed: unsafe .panels(pairs().base, .bfloat16)
        case .bfloat16 where isBFloat16Fast: unsafe .turnedPanels(pairs().base, k: inputs, first: 0)
        case .bfloat16: unsafe .bfloat16Rows(rows())
        }
    }

    private var outputs: Int { stored.shape[0] }
    private var inputs: Int { stored.shape.dropFirst().reduce(1, *) }

    private func panels(transposed: Bool) -> Storage {
        let place: WritableKeyPath<Forms, Storage?> = transposed ? \.forward : \.backward
        return made(place) {
            let (n, k) = transposed ? (outputs, inputs) : (inputs, outputs)
            let floats = stored.floats
            defer { stored.letGo() }
            return unsafe Matrix(floats.pointer, stride: inputs, transposed: transposed)
                .panels(n: n, k: k, .float32)
        }
    }

    /// Panels of pairs for x · Wᵀ.
    private func pairs() -> Storage {
        made(\.bfloat16) {
            let panels = Storage(zeroed: fs_packed_size_bf16(InstructionSet.best, outputs, inputs))
            forEachRun { rows, start in
                var matrix = unsafe Matrix(rows.pointer, stride: inputs, transposed: true).kernelMatrix
                let target = unsafe panels.base + start * ((inputs + 1) / 2)
                unsafe fs_pack_bf16(InstructionSet.best, &matrix, rows.shape[0], inputs, target)
            }
            return panels
        }
    }

    /// Rows of bfloat16: those of the file, or rounded ones.
    private func rows() -> UnsafeRawPointer {
        if stored.type == .bfloat16, let elements = unsafe stored.elements { return unsafe elements }
        let rounded = made(\.bfloat16) {
            let rounded = Storage(zeroed: (stored.count + 1) / 2)
            forEachRun { rows, start in
                let target = unsafe UnsafeMutableRawPointer(rounded.base) + 2 * start * inputs
                unsafe fs_float_to_bfloat16(rows.pointer, target, rows.count)
            }
            return rounded
        }
        return unsafe UnsafeRawPointer(rounded.base)
    }

    /// All rows, as floats, so many at a time as the widest panel has columns; afterwards the file's memory is let go.
    private func forEachRun(_ body: (Tensor, _ start: Int) -> Void) {
        let matrix = stored.reshaped([outputs, inputs])
        for start in stride(from: 0, to: outputs, by: widestPanel) {
            body(matrix.rows(start..<min(start + widestPanel, outputs)).floats, start)
        }
        stored.letGo()
    }

    private func made(
        _ place: WritableKeyPath<Forms, Storage?>,
        _ make: () -> Storage
    ) -> Storage {
        forms.withLock { forms in
            if let storage = forms[keyPath: place] { return storage }
            let storage = make()
            forms[keyPath: place] = storage
            return storage
        }
    }
}

extension Matrix {
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
