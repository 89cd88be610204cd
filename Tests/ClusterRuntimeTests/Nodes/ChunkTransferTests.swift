import Testing

@testable import ClusterRuntime

struct ChunkTransferTests {
    private let mebibyte = 1 << 20

    @Test func `no more than the window is asked for at once`() {
        var transfer = ChunkTransfer(0..<10 * mebibyte, window: 3 * mebibyte)
        #expect(transfer.requests().map(\.lowerBound) == [0, 1, 2].map { $0 * mebibyte })
        #expect(transfer.requests() == [])
        #expect(transfer.receive(mebibyte, at: 0) == true)
        #expect(transfer.requests() == [3 * mebibyte..<4 * mebibyte])
    }

    @Test func `a piece after a lost one is not taken, and both are asked for again`() {
        var transfer = ChunkTransfer(100..<100 + 2 * mebibyte)
        #expect(transfer.requests().count == 2)
        #expect(transfer.receive(mebibyte, at: 100 + mebibyte) == false)
        transfer.rewind()
        #expect(transfer.requests() == [100..<100 + mebibyte, 100 + mebibyte..<100 + 2 * mebibyte])
    }

    @Test func `a piece that is longer than what is left is not taken`() {
        var transfer = ChunkTransfer(0..<3)
        #expect(transfer.receive(4, at: 0) == false)
        #expect(transfer.receive(2, at: 0) == true)
        #expect(transfer.receive(2, at: 0) == false)
        #expect(transfer.receive(1, at: 2) == true)
        #expect(transfer.isComplete)
        #expect(transfer.position == 3)
    }

    @Test func `nothing is complete at once`() {
        var transfer = ChunkTransfer(5..<5)
        #expect(transfer.isComplete)
        #expect(transfer.requests() == [])
    }
}
