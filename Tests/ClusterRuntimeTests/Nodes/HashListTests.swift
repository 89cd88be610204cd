import ClusterMessages
import Crypto
import Tensors
import Testing

@testable import ClusterRuntime

struct HashListTests {
    private static func pattern(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 11) }
    }

    /// The definition, a block at a time.
    private func defined(_ bytes: [UInt8]) -> ContentHash? {
        let size = HashList.blockByteCount
        let blocks = stride(from: 0, to: bytes.count, by: size).map { bytes[$0...].prefix(size) }
        return ContentHash(SHA256.hash(data: blocks.flatMap { Array(SHA256.hash(data: $0)) }))
    }

    /// Computed with Python's hashlib.
    @Test(arguments: [
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (10_000, "082f13f3b6e5956636a2efb150c6c32eef3ad01c3889557a0fd780e45402ef8f"),
    ])
    func `the hash is that of the blocks' hashes`(_ count: Int, _ expected: String) {
        #expect(HashList.hash(of: Self.pattern(count)).description == expected)
    }

    @Test(arguments: [1, 4095, 4096, 4097, 16 * 4096, 16 * 4096 + 1, 47 * 4096 + 5, 1 << 20])
    func `blocks hashed side by side have the hashes that they have alone`(_ count: Int) {
        let bytes = Self.pattern(count)
        #expect(HashList.hash(of: bytes) == defined(bytes))
    }

    @Test(arguments: [1, 63, 4095, 4097, 70_000, 131_072])
    func `how the bytes come in makes no difference`(_ step: Int) {
        let bytes = Self.pattern(300_001)
        var list = HashList()
        for start in stride(from: 0, to: bytes.count, by: step) {
            list.update(Array(bytes[start...].prefix(step)))
        }
        #expect(list.hash == defined(bytes))
    }

    @Test func `a bit that changes anywhere changes the hash`() {
        let bytes = Self.pattern(17 * 4096 + 100)
        let hash = HashList.hash(of: bytes)
        for position in Array(stride(from: 0, to: bytes.count, by: 997)) + [bytes.count - 1] {
            var changed = bytes
            changed[position] ^= 1 << UInt8(position % 8)
            #expect(HashList.hash(of: changed) != hash, "byte \(position)")
        }
    }

    private static let sixteenBlocks = sha256(
        ofBlocksOf: 64,
        in: .init(repeating: 0x61, count: 17 * 64),
        from: 64
    )

    /// SHA-256 of 64 letters a, as `sha256sum` prints it.
    @Test(.enabled(if: !sixteenBlocks.isEmpty, "this CPU hashes blocks one by one"))
    func `a block of one message block is hashed with its padding`() {
        let expected = "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"
        for start in stride(from: 0, to: 16 * 32, by: 32) {
            #expect(ContentHash(Self.sixteenBlocks[start..<start + 32])?.description == expected)
        }
    }
}
