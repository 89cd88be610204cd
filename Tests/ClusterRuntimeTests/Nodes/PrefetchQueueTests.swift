import ClusterMessages
import Testing

@testable import ClusterRuntime

struct PrefetchQueueTests {
    private func assignment(
        _ batch: UInt64,
        holder: UInt32 = 1,
        hash: UInt8 = 1,
        after: UInt64? = nil
    ) throws -> Message.Assign {
        Message.Assign(
            batch: BatchID(batch),
            hash: try #require(ContentHash([UInt8](repeating: hash, count: 32))),
            byteCount: 3,
            sampleCount: 1,
            holder: NodeID(holder),
            holderEndpoint: "tcp://127.0.0.1:1",
            holderPublicKey: nil,
            after: after.map { BatchID($0) }
        )
    }

    @Test func `in order a batch waits for the one before it, even for one that is yet to come back`() throws
    {
        var queue = PrefetchQueue()
        let (first, second) = (try assignment(0), try assignment(2, after: 0))
        for assignment in [first, second] { #expect(queue.add(assignment) == true) }
        queue.arrived(second, [[2]])
        #expect(queue.failed(first) == true)
        #expect(queue.takeFirst()?.pieces == nil)
        #expect(queue.reason.contains("batch 0, the next in order"), "\(queue.reason)")
        let again = try assignment(0, holder: 2)
        #expect(queue.add(again) == true)
        queue.arrived(again, [[0]])
        #expect(queue.takeFirst()?.assignment == again)
        #expect(queue.takeFirst()?.assignment == second)
    }

    @Test func `a batch need not wait for one that was given up, once it is assigned without it`() throws {
        var queue = PrefetchQueue()
        let waiting = try assignment(4, after: 2)
        #expect(queue.add(waiting) == true)
        queue.arrived(waiting, [[4]])
        #expect(queue.takeFirst()?.pieces == nil)
        #expect(queue.add(try assignment(4)) == false, "its bytes are here")
        #expect(queue.takeFirst()?.pieces == [[4]])
    }

    @Test func `batches are taken in the order of assignment, whichever arrives first`() throws {
        var queue = PrefetchQueue()
        let (first, second) = (try assignment(3), try assignment(1, holder: 2))
        #expect(queue.add(first) == true)
        #expect(queue.add(second) == true)
        queue.arrived(second, [[2]])
        #expect(queue.takeFirst()?.pieces == nil)
        queue.arrived(first, [[1]])
        #expect(queue.takeFirst()?.assignment == first)
        #expect(queue.takeFirst()?.assignment == second)
    }

    @Test func `after a welcome only what is assigned again is used`() throws {
        var queue = PrefetchQueue()
        let (kept, lost) = (try assignment(1), try assignment(2))
        for assignment in [kept, lost] {
            #expect(queue.add(assignment) == true)
            queue.arrived(assignment, [[0]])
        }
        queue.doubt(isRoundOver: false)
        #expect(queue.takeFirst()?.pieces == nil)
        #expect(queue.add(kept) == false)
        queue.settle()
        #expect(queue.takeFirst()?.assignment == kept)
        #expect(queue.takeFirst()?.pieces == nil)
    }

    @Test func `a begun batch is not fetched again in its round, but in the next`() throws {
        var queue = PrefetchQueue()
        let batch = try assignment(1)
        #expect(queue.add(batch) == true)
        queue.arrived(batch, [[0]])
        #expect(queue.takeFirst()?.pieces != nil)
        #expect(queue.add(batch) == false)
        queue.endRound()
        #expect(queue.add(batch) == true)
    }

    @Test(arguments: [false, true])
    func `who missed the commit of a round that left it out fetches what it had begun once more`(isOver: Bool)
        throws
    {
        var queue = PrefetchQueue()
        let batch = try assignment(1)
        #expect(queue.add(batch) == true)
        queue.arrived(batch, [[0]])
        #expect(queue.takeFirst()?.pieces != nil)
        queue.doubt(isRoundOver: isOver)
        #expect(queue.add(batch) == isOver)
    }

    @Test func `an assignment with other bytes takes the place of the former`() throws {
        var queue = PrefetchQueue()
        let (former, present) = (try assignment(1), try assignment(1, holder: 2, hash: 9))
        #expect(queue.add(former) == true)
        #expect(queue.add(present) == true)
        #expect(queue.failed(former) == false)
        queue.arrived(former, [[1]])
        #expect(queue.takeFirst()?.pieces == nil)
        queue.arrived(present, [[2]])
        #expect(queue.takeFirst()?.pieces == [[2]])
    }
}
