import Glibc

/// The quantized frequencies of 8 x 8 samples.
struct JPEGBlock {
    /// The order in which frequencies are written: T.81 figure A.6.
    static let zigzag: [Int] = (0..<15).flatMap { sum in
        let rows = (max(0, sum - 7)...min(sum, 7)).map { row in row * 8 + sum - row }
        return sum % 2 == 0 ? rows.reversed() : rows
    }

    /// `basis[u * 8 + x]`: the orthonormal cosines of frequency u.
    private static let basis: [Float] = (0..<64).map { index in
        let (u, x) = (Double(index / 8), Double(index % 8))
        return Float((u == 0 ? 0.125.squareRoot() : 0.5) * cos((2 * x + 1) * u * .pi / 16))
    }

    /// In zigzag order.
    private let coefficients: [Int]

    /// - Parameters:
    ///   - samples: row by row, around 0.
    ///   - divisors: row by row.
    init(_ samples: [Float], divisors: [Int]) {
        let basis = Self.basis
        var rows = [Float](repeating: 0, count: 64)
        for y in 0..<8 {
            for u in 0..<8 {
                rows[y * 8 + u] = (0..<8).reduce(0) { $0 + basis[u * 8 + $1] * samples[y * 8 + $1] }
            }
        }
        coefficients = Self.zigzag.map { index in
            let (v, u) = (index / 8, index % 8)
            let frequency = (0..<8).reduce(Float(0)) { $0 + basis[v * 8 + $1] * rows[$1 * 8 + u] }
            return Int((frequency / Float(divisors[index])).rounded())
        }
    }

    /// Writes the block, its mean as the difference to that of the component's block before (T.81 F.1.2).
    func write(to bits: inout BitWriter, after previous: inout Int) {
        let difference = coefficients[0] - previous
        previous = coefficients[0]
        bits.append(HuffmanCode.differences[Self.category(of: difference)])
        bits.append(value: difference, count: Self.category(of: difference))
        let end = coefficients.lastIndex { $0 != 0 } ?? 0
        var zeros = 0
        for coefficient in coefficients.prefix(end + 1).dropFirst() {
            guard coefficient != 0 else {
                zeros += 1
                continue
            }
            // Sixteen zeros in a row have a symbol of their own.
            for _ in 0..<zeros / 16 { bits.append(HuffmanCode.coefficients[0xF0]) }
            let category = Self.category(of: coefficient)
            bits.append(HuffmanCode.coefficients[(zeros % 16) << 4 | category])
            bits.append(value: coefficient, count: category)
            zeros = 0
        }
        if end < 63 { bits.append(HuffmanCode.coefficients[0]) }
    }

    /// How many bits a number takes.
    private static func category(of value: Int) -> Int { Int.bitWidth - abs(value).leadingZeroBitCount }
}

/// Bits, the first of a byte its highest.
struct BitWriter {
    private var bytes: [UInt8] = []
    private var pending: UInt32 = 0
    private var pendingCount = 0

    mutating func append(_ word: HuffmanCode.Word) { append(bits: word.bits, count: word.count) }

    /// A number of a known category: itself, or one less than itself where it is below zero (T.81 F.1.2.1).
    mutating func append(value: Int, count: Int) {
        append(bits: UInt32((value < 0 ? value - 1 : value) & (1 << count - 1)), count: count)
    }

    private mutating func append(bits: UInt32, count: Int) {
        pending = pending << UInt32(count) | bits
        pendingCount += count
        while pendingCount >= 8 {
            pendingCount -= 8
            let byte = UInt8(pending >> UInt32(pendingCount) & 0xFF)
            // After 0xFF comes a marker, unless a zero says otherwise.
            bytes += byte == 0xFF ? [byte, 0] : [byte]
        }
    }

    /// All bytes, the last filled with ones.
    func finished() -> [UInt8] {
        guard pendingCount > 0 else { return bytes }
        var whole = self
        whole.append(bits: 1 << UInt32(8 - pendingCount) - 1, count: 8 - pendingCount)
        return whole.bytes
    }
}
