/// Every unordered pair of different sprites, about a tenth of them held out of training.
///
/// Which pairs are held out is a fixed rule over their names, the same in every run and for every catalog
/// that has both.
struct SpritePairs: Sendable {
    struct Pair: Sendable, Hashable {
        let first: Sprite
        let second: Sprite
    }

    let training: [Pair]
    let heldOut: [Pair]

    init(of sprites: [Sprite]) {
        let pairs = sprites.indices.flatMap { first in
            sprites[(first + 1)...].map { Pair(first: sprites[first], second: $0) }
        }
        training = pairs.filter { !Self.isHeldOut($0) }
        heldOut = pairs.filter(Self.isHeldOut)
    }

    /// True for one pair in ten, whichever of the two comes first.
    static func isHeldOut(_ pair: Pair) -> Bool {
        let names = [pair.first.noun, pair.second.noun].sorted()
        return hash("\(names[0])|\(names[1])") % 10 == 0
    }

    /// FNV-1a of 64 bits, its upper half folded over the lower: Swift's own hash differs from run to run.
    private static func hash(_ text: String) -> UInt64 {
        let hash = text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return hash ^ (hash >> 32)
    }
}
