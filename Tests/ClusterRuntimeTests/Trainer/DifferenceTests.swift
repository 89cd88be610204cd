import ClusterMessages
import Tensors
import Testing

@testable import ClusterRuntime

/// Differences that are rounded, and what becomes of the rest.
@Suite struct DifferenceTests {
    private let base = Tensor((0..<600).map { Float($0) / 100 - 3 }, shape: [600])

    @Test(arguments: [NumberEncoding.float16, .int8])
    func `what rounding takes away is the residual, and the receiver reads the same numbers`(
        encoding: NumberEncoding
    ) {
        let moved = base.adding(Tensor((0..<600).map { Float(($0 * 7) % 13) * 1e-3 }, shape: [600]))
        let difference = Difference(of: moved, to: base, residual: nil, as: encoding)
        let read = Difference.values(difference.bytes, encoding, base: base)
        #expect(read.encoded() == difference.values.encoded())
        let whole = difference.values.adding(difference.residual)
        // Up to the rounding of sums of numbers below 4.
        #expect(whole.largestAbsoluteDifference(to: moved) <= 0x1p-21)
    }

    @Test func `32-bit floats are the numbers themselves`() {
        let moved = base.scaled(by: 1.1)
        #expect(Difference.values(moved.encoded(), .float32, base: base).encoded() == moved.encoded())
    }

    @Test(arguments: [NumberEncoding.float16, .int8])
    func `over many rounds what was sent adds up to what was wanted, less the last residual`(
        encoding: NumberEncoding
    ) {
        // A step of a thousandth of what the block's largest number moves by: alone it would be rounded to nothing.
        let step = Tensor((0..<256).map { $0 == 0 ? 1 : 1e-3 }, shape: [256])
        let zero = Tensor.zeros([256])
        var (sent, residual) = (Tensor.zeros([256]), Tensor?.none)
        for _ in 0..<1000 {
            let difference = Difference(of: step, to: zero, residual: residual, as: encoding)
            sent = sent.adding(difference.values)
            residual = difference.residual
        }
        let wanted = step.scaled(by: 1000)
        // Half a scale of a block whose largest number is about 1.
        #expect(abs(sent.values[1] - wanted.values[1]) <= 1 / 254 + 1e-3)
        #expect(abs(sent.values[0] - wanted.values[0]) <= 0.1)
        let forgetful = Difference(of: step, to: zero, residual: nil, as: .int8)
        #expect(forgetful.values.values[1] == 0)
    }
}
