/// SplitMix64: the whole life of a virtual cluster follows from one seed.
struct SeededRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678_9ABC_DEF1 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() >> 33) % bound }

    mutating func chance(perMille: Int) -> Bool { below(1000) < perMille }

    /// Milliseconds, evenly from `low` to `high`.
    mutating func milliseconds(_ low: Int, _ high: Int) -> Int64 { Int64(low + below(high - low + 1)) }
}
