import Testing
import ZeroMQ

@testable import ClusterRuntime

@Suite struct ServerConnectionsTests {
    @Test func `a cluster of a thousand workers finds room, with some to spare`() {
        let connections = ServerConnections(sockets: 4, openFiles: 20_000)
        #expect(connections.count >= 1250)
        #expect(connections.count == ServerConnections.wanted && connections.shortage == nil)
    }

    @Test func `a process that may open few files takes few connections, and says so`() throws {
        let connections = ServerConnections(sockets: 4, openFiles: 1024)
        #expect(connections.count == 192)
        let text = try #require(connections.shortage)
        #expect(text.contains("192 nodes") && text.contains("LimitNOFILE"), "\(text)")
        #expect(ServerConnections(sockets: 4, openFiles: 0).count > 0)
    }

    @Test func `the soft limit of open files rises to what this process may have`() {
        let limit = OpenFiles.raiseLimit()
        #expect(limit >= 1024)
        #expect(OpenFiles.raiseLimit() == limit)
    }

    @Test func `trajectories are served piece by piece out of the memory that holds them`() {
        let piece = ChunkTransfer.pieceByteCount
        let bytes = (0..<2 * piece + 100).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) }
        let solved = SolvedTrajectories(hash: hash(1), bytes: bytes, evaluationCount: 1)
        #expect(solved.byteCount == bytes.count)
        for range in [
            0..<bytes.count, 0..<10, 5..<piece + 7, piece - 1..<bytes.count, 2 * piece..<bytes.count,
        ] {
            var (start, collected): (Int, [UInt8]) = (range.lowerBound, [])
            while start < range.upperBound {
                let next = solved.piece(in: start..<range.upperBound)
                #expect(!next.isEmpty && next.count <= piece)
                collected += next
                start += next.count
            }
            let isEqual = collected == Array(bytes[range])
            #expect(isEqual, "\(range)")
        }
    }
}
