import CKernels

/// Random numbers from a counter: Philox4x32-10 (Salmon et al., SC 2011).
///
/// A stream is a pure function of its key and stream number, so any machine can make the same numbers again
/// without knowing what was drawn before. Draws advance whole blocks of four words.
package struct RandomStream: Sendable {
    package let key: UInt64
    package let stream: UInt64
    private var block: UInt64 = 0

    package init(key: UInt64, stream: UInt64) {
        self.key = key
        self.stream = stream
    }

    /// A uniform number in `(0, 1]`.
    package mutating func nextUniform() -> Float {
        var value: Float = 0
        unsafe fs_random_uniform(key, stream, block, &value, 1)
        block += 1
        return value
    }

    /// A uniform integer in `0 ..< bound`, free of modulo bias (Lemire 2019).
    package mutating func nextInteger(below bound: Int) -> Int {
        precondition(bound > 0 && bound <= Int(UInt32.max), "a bound lies in 1 ..< 2^32, got \(bound)")
        let bound = UInt32(bound)
        let threshold = (0 &- bound) % bound
        while true {
            let product = nextWord().multipliedFullWidth(by: bound)
            if product.low >= threshold { return Int(product.high) }
        }
    }

    /// Uniform numbers in `(0, 1]`.
    package mutating func uniform(_ shape: [Int]) -> Tensor {
        let tensor = Tensor.zeros(shape)
        unsafe fs_random_uniform(key, stream, block, tensor.pointer, tensor.count)
        block += UInt64((tensor.count + 3) / 4)
        return tensor
    }

    /// Standard normal numbers (Box–Muller).
    package mutating func normal(_ shape: [Int]) -> Tensor {
        let tensor = Tensor.zeros(shape)
        unsafe fs_random_normal(key, stream, block, tensor.pointer, tensor.count)
        block += UInt64((tensor.count + 3) / 4)
        return tensor
    }

    private mutating func nextWord() -> UInt32 {
        let counter: [UInt32] = [
            UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: block >> 32),
            UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32),
        ]
        let key: [UInt32] = [
            UInt32(truncatingIfNeeded: self.key), UInt32(truncatingIfNeeded: self.key >> 32),
        ]
        var words: [UInt32] = [0, 0, 0, 0]
        unsafe fs_philox4x32(key, counter, &words)
        block += 1
        return words[0]
    }
}
