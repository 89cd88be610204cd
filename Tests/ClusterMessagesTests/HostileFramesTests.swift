import ClusterMessages
import Foundation
import FuzzTargets
import TestSupport
import Testing

/// Whatever bytes arrive, decoding throws or gives a message that can be sent on; it never traps.
///
/// Mutated frames are 152,000 by default, so that an unoptimised build stays fast. A million and more of them:
/// `FLOWSTEER_MUTATIONS=28000 Scripts/test.sh --filter HostileFramesTests`.
@Suite struct HostileFramesTests {
    /// Mutations of each of the kinds of message.
    private static let mutationCount =
        ProcessInfo.processInfo.environment["FLOWSTEER_MUTATIONS"].flatMap { Int($0) } ?? 4_000

    /// Every kind, and an offer of narrow numbers.
    private static let names = Message.Kind.allCases.map(\.rawValue) + ["offer in int8"]

    @Test(arguments: names)
    func `every truncation throws or is a message`(name: String) throws {
        let frames = try #require(goldenFrames[name])
        for part in frames.indices {
            for length in 0..<frames[part].count {
                var cut = frames
                cut[part] = Array(frames[part].prefix(length))
                expectHarmless(cut)
            }
        }
        for count in 0..<frames.count {
            #expect(throws: WireError.self) { try MessageCodec.decode(frames: Array(frames.prefix(count))) }
        }
        #expect(throws: WireError.self) { try MessageCodec.decode(frames: frames + [[], []]) }
    }

    @Test(arguments: names)
    func `every flip of one bit throws or is a message`(name: String) throws {
        let frames = try #require(goldenFrames[name])
        for part in frames.indices {
            for bit in 0..<frames[part].count * 8 {
                var flipped = frames
                flipped[part][bit / 8] ^= 1 << UInt8(bit % 8)
                expectHarmless(flipped)
                if part == 2 {
                    #expect(throws: WireError.self) { try MessageCodec.decode(frames: flipped) }
                }
            }
        }
    }

    @Test(arguments: names)
    func `thousands of random mutations, or as many as asked for, throw or are messages`(name: String)
        throws
    {
        let frames = try #require(goldenFrames[name])
        let others = Message.Kind.allCases.compactMap { goldenFrames[$0.rawValue] }
        var generator = SeededGenerator(seed: UInt64(frames[1].count))
        for _ in 0..<Self.mutationCount {
            var mutated = frames
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                mutate(&mutated, mixingIn: others, using: &generator)
            }
            expectHarmless(mutated)
        }
    }

    @Test func `random bytes throw or are messages`() {
        var generator = SeededGenerator(seed: 1)
        let headers = Message.Kind.allCases.compactMap { goldenFrames[$0.rawValue]?[0] }
        for _ in 0..<30_000 {
            let body = (0..<Int.random(in: 0...64, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            expectHarmless([body, body])
            expectHarmless([headers.randomElement(using: &generator) ?? [], body])
        }
    }

    @Test(arguments: Array(stride(from: 1, through: 6_000, by: 61)))
    func `memory that runs out while unpacking is given back`(count: Int) throws {
        // A fence, then many prompts, each an empty message: 2 bytes here, about 100 in memory.
        let body = [UInt8(0x12), 0] + Array(repeatElement([UInt8(0x22), 0], count: count).joined())
        let frames = [try #require(goldenFrames["lease"])[0], body]
        expectHarmless(frames)
        if count > 4096 {
            #expect(throws: WireError.self) { try MessageCodec.decode(frames: frames) }
        }
    }

    @Test func `a megabyte of empty elements is refused before it fills the memory`() throws {
        let body = Array(repeatElement([UInt8(0x22), 0], count: 1 << 19).joined())
        let frames = [try #require(goldenFrames["lease"])[0], body]
        #expect(throws: WireError.malformed(message: "Lease", byteCount: 1 << 20)) {
            try MessageCodec.decode(frames: frames)
        }
    }

    private func expectHarmless(_ frames: [[UInt8]]) {
        do { try checkDecoding(of: frames) } catch { Issue.record("\(error)") }
    }

    private func mutate(
        _ frames: inout [[UInt8]],
        mixingIn others: [[[UInt8]]],
        using generator: inout SeededGenerator
    ) {
        let part = Int.random(in: 0...9, using: &generator) < 2 ? 0 : 1
        var bytes = frames[part]
        let position = Int.random(in: 0...bytes.count, using: &generator)
        switch Int.random(in: 0...5, using: &generator) {
        case 0 where position < bytes.count:
            bytes[position] = UInt8.random(in: 0...255, using: &generator)
        case 1 where position < bytes.count:
            // The last byte of a number, a length or a tag made to go on, or the largest.
            bytes[position] = [0x7f, 0x80, 0xff, 0x00].randomElement(using: &generator) ?? 0
        case 2:
            bytes.insert(UInt8.random(in: 0...255, using: &generator), at: position)
        case 3 where position < bytes.count:
            let length = Int.random(in: 1...(bytes.count - position), using: &generator)
            bytes.removeSubrange(position..<position + min(length, 8))
        case 4:
            let end = Int.random(in: position...bytes.count, using: &generator)
            bytes.insert(contentsOf: bytes[position..<end], at: position)
        default:
            bytes.insert(contentsOf: others.randomElement(using: &generator)?[1] ?? [], at: position)
        }
        frames[part] = bytes
    }
}
