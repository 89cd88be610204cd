import Foundation
import TestSupport
import Testing

@testable import Tensors

/// Weights in a file of one type, mapped.
private struct WeightFile {
    /// `[outputs, inputs]`, as the file has them.
    let stored: StoredTensor

    /// - Parameter lead: bytes before the weights.
    init(_ weight: Tensor, as type: ScalarType, lead: Int = 64) throws {
        let path = NSTemporaryDirectory() + "weights-\(UUID().uuidString)"
        let bytes = [UInt8](repeating: 7, count: lead) + weight.encoded(as: type)
        #expect(FileManager.default.createFile(atPath: path, contents: Data(bytes)))
        let file = try MappedFile(path: path)
        // The mapping holds the file.
        try FileManager.default.removeItem(atPath: path)
        stored = file.stored(lead..<bytes.count, as: type, shape: weight.shape)
    }
}

@Suite struct FrozenWeightTests {
    /// x · Wᵀ and dx of Σ y² / 2.
    private func products(_ weight: Parameter, _ x: Tensor) -> (y: [Float], dx: [Float]) {
        let tape = Tape()
        tape.beginStep()
        let x = tape.variable(x)
        let y = tape.linear(x, weight: weight)
        let loss = tape.squaredError(y, target: .zeros(y.shape), scale: 0.5)
        let values = y.value.values
        tape.backward(from: loss)
        return (values, tape.gradient(of: x).values)
    }

    @Test(arguments: [(40, 96, 64), (5, 24, 30), (3, 33, 71)])
    func `a weight kept in bfloat16 acts as the rounded weight`(rows: Int, inputs: Int, outputs: Int) {
        let x = randomTensor([rows, inputs], seed: 5)
        let weight = randomTensor([outputs, inputs], seed: 6)
        let rounded = Tensor(decoding: weight.encoded(as: .bfloat16), as: .bfloat16, shape: weight.shape)
        let plain = products(Parameter(frozen: rounded), x)
        for isFast in Set([false, Precision.isBFloat16Fast]) {
            let frozen = FrozenWeight(StoredTensor(weight), isBFloat16Fast: isFast)
            let kept = products(Parameter(frozen: frozen, .bfloat16), x)
            // Where the CPU multiplies bfloat16, the activations are rounded too.
            let tolerance = isFast ? 1e-2 : 1e-6
            for (kept, plain) in [(kept.y, plain.y), (kept.dx, plain.dx)] {
                let shape = [plain.count]
                #expect(relativeError(Tensor(kept, shape: shape), Tensor(plain, shape: shape)) < tolerance)
            }
        }
    }

    @Test(arguments: [ScalarType.float32, .float16, .bfloat16], [64, 65])
    func `a mapped weight acts as the same numbers in memory, bit for bit`(type: ScalarType, lead: Int) throws
    {
        let x = randomTensor([21, 50], seed: 1)
        let weight = randomTensor([70, 50], seed: 2)
        let file = try WeightFile(weight, as: type, lead: lead)
        let memory = StoredTensor(file.stored.floats)
        for precision in Precision.allCases {
            for isFast in Set([false, Precision.isBFloat16Fast]) {
                let (mapped, copied) = (
                    products(
                        Parameter(frozen: FrozenWeight(file.stored, isBFloat16Fast: isFast), precision),
                        x
                    ),
                    products(Parameter(frozen: FrozenWeight(memory, isBFloat16Fast: isFast), precision), x)
                )
                #expect(mapped.y == copied.y)
                #expect(mapped.dx == copied.dx)
            }
        }
    }

    @Test func `in bfloat16 both products take two bytes a number, none where the file is read itself`()
        throws
    {
        let x = randomTensor([4, 128], seed: 1)
        let weight = randomTensor([96, 128], seed: 2)
        func held(_ type: ScalarType, isFast: Bool, lead: Int = 64) throws -> Int {
            let frozen = FrozenWeight(
                try WeightFile(weight, as: type, lead: lead).stored,
                isBFloat16Fast: isFast
            )
            #expect(frozen.heldByteCount == 0)
            _ = products(Parameter(frozen: frozen, .bfloat16), x)
            return frozen.heldByteCount
        }
        #expect(try held(.bfloat16, isFast: false) == 0)
        #expect(try held(.bfloat16, isFast: false, lead: 65) == 2 * weight.count)
        #expect(try held(.float32, isFast: false) == 2 * weight.count)
        guard Precision.isBFloat16Fast else { return }
        for type in ScalarType.allCases { #expect(try held(type, isFast: true) == 2 * weight.count) }
    }

    @Test(arguments: ScalarType.allCases)
    func `rows of stored numbers are those of the whole, before and after its memory is let go`(
        type: ScalarType
    ) throws {
        let weight = randomTensor([300, 40], seed: 3)
        let stored = try WeightFile(weight, as: type).stored
        let whole = stored.floats.copied()
        stored.letGo()
        #expect(stored.rows(100..<130).floats.values == whole.rows(100..<130).values)
        #expect(stored.reshaped([150, 80]).rows(149..<150).floats.values == whole.rows(298..<300).values)
        #expect(stored.areFloats == (type == .float32))
    }
}
