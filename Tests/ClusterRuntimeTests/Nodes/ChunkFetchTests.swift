import ClusterMessages
import Testing

@testable import ClusterRuntime

struct ChunkFetchTests {
    /// More than a window, and no multiple of a piece; every byte depends on its place.
    private static let pattern = (0..<windowByteCount + (1 << 20) + 12_345).map {
        UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 11)
    }
    private static let windowByteCount = ChunkFetch.Plane.trajectories.windowByteCount

    private let bytes = pattern

    private func hash(_ bytes: [UInt8]) -> ContentHash { HashList.hash(of: bytes) }

    @Test func `a batch larger than the window arrives whole over an encrypted connection`() async throws {
        try await withLoopback { loopback in
            loopback.hold(bytes, as: hash(bytes), of: BatchID(7))
            let fetched = try await loopback.fetch().pieces(of: hash(bytes), byteCount: bytes.count)
            #expect(Array(fetched.joined()) == bytes)
        }
    }

    @Test func `a part of the bytes can be had alone`() async throws {
        try await withLoopback { loopback in
            loopback.hold(bytes, as: hash(bytes), of: BatchID(7))
            let range = 1_048_000..<1_049_600
            let part = try await loopback.fetch().bytes(range, of: hash(bytes), byteCount: bytes.count)
            #expect(part == Array(bytes[range]))
        }
    }

    @Test func `the last pieces are asked for while those before them are on their way`() async throws {
        try await withLoopback { loopback in
            loopback.hold(bytes, as: hash(bytes), of: BatchID(7))
            var (taken, takenWhenAsked): (Int, [Int]) = (0, [])
            try await loopback.fetch().fetch(
                0..<bytes.count,
                of: hash(bytes),
                byteCount: bytes.count,
                whenAsked: { takenWhenAsked.append(taken) },
                take: { taken += $0.count }
            )
            // The second piece, which makes room in the window for the last, is not taken yet.
            #expect(takenWhenAsked == [1 << 20])
            #expect(taken == bytes.count)
        }
    }

    @Test func `bytes that come a few at a time are kept together`() {
        var pieces: [[UInt8]] = []
        for number in 0..<UInt8(100) { pieces.add([number]) }
        #expect(pieces == [Array(0..<100)])
        pieces.add([UInt8](repeating: 1, count: 64 << 10))
        #expect(pieces.map(\.count) == [100, 64 << 10])
    }

    @Test func `bytes that do not have the hash they were named by are refused`() async throws {
        try await withLoopback { loopback in
            let promised = hash([1, 2, 3])
            loopback.hold(bytes, as: promised, of: BatchID(7))
            let fetch = try await loopback.fetch()
            await #expect {
                try await fetch.pieces(of: promised, byteCount: bytes.count)
            } throws: { error in
                guard case NodeError.wrongBytes(_, _, _, let actual) = error else { return false }
                return actual == hash(bytes).abbreviated
            }
        }
    }

    @Test func `a holder that has more bytes than were assigned is not believed`() async throws {
        try await withLoopback { loopback in
            loopback.hold(bytes, as: hash(bytes), of: BatchID(7))
            let fetch = try await loopback.fetch()
            await #expect(throws: NodeError.self) {
                try await fetch.pieces(of: hash(bytes), byteCount: bytes.count - 1)
            }
        }
    }

    @Test func `released trajectories are not found`() async throws {
        try await withLoopback { loopback in
            loopback.hold(bytes, as: hash(bytes), of: BatchID(7))
            loopback.shelf.release(BatchID(7), hash(bytes))
            let fetch = try await loopback.fetch()
            await #expect {
                try await fetch.pieces(of: hash(bytes), byteCount: bytes.count)
            } throws: { error in
                guard case NodeError.notServed(_, _, .notFound, _) = error else { return false }
                return true
            }
        }
    }

    @Test func `a holder that vanished is given up after the patience`() async throws {
        try await withLoopback { loopback in
            loopback.hold(bytes, as: hash(bytes), of: BatchID(7))
            let fetch = try await loopback.fetch()
            _ = try await fetch.bytes(0..<10, of: hash(bytes), byteCount: bytes.count)
            await loopback.vanish()
            await #expect {
                try await fetch.pieces(of: hash(bytes), byteCount: bytes.count)
            } throws: { error in
                guard case NodeError.silent = error else { return false }
                return true
            }
        }
    }

    @Test func `a trainer whose key is not allowed gets nothing`() async throws {
        try await withLoopback(isAllowed: false) { loopback in
            loopback.hold(bytes, as: hash(bytes), of: BatchID(7))
            let fetch = try await loopback.fetch()
            await #expect(throws: NodeError.self) {
                try await fetch.pieces(of: hash(bytes), byteCount: bytes.count)
            }
        }
    }
}
