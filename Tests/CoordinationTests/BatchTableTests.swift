import ClusterMessages
import Testing

@testable import Coordination

@Suite struct BatchTableTests {
    private let first = NodeID(1)
    private let second = NodeID(2)

    private func lease(_ id: UInt64, at node: NodeID) -> GrantedLease {
        GrantedLease(
            batch: BatchID(id),
            node: node,
            fence: Fence(epoch: 1, attempt: 0),
            grantedAt: .zero,
            deadline: .zero + .seconds(1)
        )
    }

    @Test func `batches come in order of number, in whatever order they were put in and taken out`() {
        var table = BatchTable()
        for id: UInt64 in [5, 1, 9, 3, 7] { table[BatchID(id)] = Batch(BatchID(id)) }
        #expect(table.values.map(\.id.rawValue) == [1, 3, 5, 7, 9])
        #expect(table.remove(BatchID(5))?.id == BatchID(5))
        #expect(table.remove(BatchID(5)) == nil)
        table[BatchID(4)] = Batch(BatchID(4))
        #expect(table.values.map(\.id.rawValue) == [1, 3, 4, 7, 9])
        #expect(table.pending.numbers == table.values.map(\.id))
    }

    @Test func `a batch is in the list of its stage, and with those who have its leases`() {
        var table = BatchTable()
        for id: UInt64 in 0..<3 { table[BatchID(id)] = Batch(BatchID(id)) }
        table[BatchID(1)]?.stage = .leased(lease(1, at: first), hedge: lease(1, at: second))
        #expect(table.pending.numbers == [BatchID(0), BatchID(2)])
        #expect(table.leased(to: first).map(\.id) == [BatchID(1)])
        #expect(table.leased(to: second).map(\.id) == [BatchID(1)])
        table[BatchID(1)]?.endLease(of: first)
        #expect(table.leased(to: first).isEmpty)
        #expect(table.leased.numbers == [BatchID(1)])
        table[BatchID(1)]?.stage = .produced
        #expect(table.leased.isEmpty && table.leased(to: second).isEmpty)
        #expect(table.produced.numbers == [BatchID(1)])
    }

    @Test func `nodes whose load fell are told of once`() {
        var table = BatchTable()
        table[BatchID(0)] = Batch(BatchID(0))
        table[BatchID(0)]?.stage = .leased(lease(0, at: first))
        #expect(table.takeRelieved().isEmpty)
        table[BatchID(0)]?.stage = .pending
        #expect(table.takeRelieved() == [first])
        #expect(table.takeRelieved().isEmpty)
    }
}
