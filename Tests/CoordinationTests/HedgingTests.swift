import ClusterMessages
import Testing

@testable import Coordination

/// Two nodes at one batch, and tries on different nodes.
@Suite struct HedgingTests {
    var talk = Conversation()

    /// Rollout a has made four batches in a second each, then got two that it does not finish.
    private mutating func lateRollout(_ adjust: (inout CoordinationSettings) -> Void = { _ in }) -> (
        a: NodeID, b: NodeID
    ) {
        talk = Conversation {
            $0.trainerLimit = CreditWindow(batches: 9, byteCount: 1 << 20)
            adjust(&$0)
        }
        let a = talk.join(.rollout, "a")
        _ = talk.join(.trainer, "t", credit: 9)
        for batch in 0..<4 as Range<UInt64> {
            talk.now += .seconds(1)
            _ = talk.produces(a, batch)
        }
        #expect(talk.census == Census(leased: 2, assigned: 4))
        return (a, talk.join(.rollout, "b"))
    }

    @Test func `late is beyond the median and three deviations, or half as much again`() {
        var terms = LeaseTerms(floor: .seconds(1), factor: 3)
        for (node, duration) in [(1, 10), (2, 10), (1, 10)] as [(UInt32, Int)] {
            terms.record(.seconds(duration), on: NodeID(node))
        }
        #expect(terms.tail == nil)
        terms.record(.seconds(10), on: NodeID(2))
        #expect(terms.tail == .seconds(15))
        for duration in [4, 16, 22, 30] { terms.record(.seconds(duration), on: NodeID(3)) }
        // Of 4 10 10 10 10 16 22 30 the upper median is 10; deviations 0 0 0 0 6 6 12 20.
        #expect(terms.tail == .seconds(28))
    }

    @Test mutating func `an idle rollout makes what another is late with`() {
        let (_, b) = lateRollout()
        #expect(talk.pass(.seconds(1)).grants == [:])
        let directives = talk.pass(.seconds(2))
        #expect(directives.grants == [BatchID(4): b], "one batch for one idle rollout, the oldest")
        #expect(talk.coordinator.ledger[BatchID(4)]?.leases.count == 2)
        #expect(talk.census == Census(leased: 2, assigned: 4))
        #expect(talk.pass(.seconds(1)).grants == [:])
    }

    @Test(arguments: [true, false])
    mutating func `the first result is taken and the other lease cancelled`(isFirst: Bool) {
        let (a, b) = lateRollout()
        _ = talk.pass(.seconds(3))
        let leases = talk.coordinator.ledger[BatchID(4)]?.leases ?? []
        let (winner, loser) = isFirst ? (a, b) : (b, a)
        let fences = Dictionary(uniqueKeysWithValues: leases.map { ($0.node, $0.fence) })
        let fence = fences[winner] ?? Fence(epoch: 0, attempt: 0)
        let result = NodeMessage.produced(BatchID(4), fence, trajectoryHash(BatchID(4)), byteCount: 100)
        let directives = talk.says(winner, result)
        let cancelled = directives.contains { directive in
            if case .cancelLease(BatchID(4), fences[loser], loser) = directive { true } else { false }
        }
        #expect(cancelled)
        #expect(talk.coordinator.ledger[BatchID(4)]?.holder == winner)
    }

    @Test mutating func `a batch lives on with the node that still works on it`() {
        talk = Conversation { $0.attempts = 1 }
        let (a, b) = lateRollout { $0.attempts = 1 }
        _ = talk.pass(.seconds(3))
        _ = talk.wait(10, silent: [a])
        #expect(talk.coordinator.membership[a]?.standing == .dead)
        #expect(talk.coordinator.ledger[BatchID(4)]?.leases.map(\.node) == [b])
        #expect(talk.coordinator.ledger[BatchID(5)] == nil, "its only try failed")
        let fence = talk.coordinator.ledger[BatchID(4)]?.leases.first?.fence ?? Fence(epoch: 0, attempt: 0)
        _ = talk.says(b, .leaseFailed(BatchID(4), fence, .internal, retryable: true, "oops"))
        #expect(talk.coordinator.ledger[BatchID(4)] == nil)
        #expect(talk.census.dead == 2)
    }

    @Test mutating func `nothing is made twice while trainers have enough, or when it is not wanted`() {
        let (_, _) = lateRollout { $0.hedging = false }
        #expect(talk.pass(.seconds(9)).grants == [:])
    }

    @Test mutating func `a batch waits for a rollout it has not failed on, while there is other work`() {
        talk = Conversation { $0.leadBatches = 3 }
        let a = talk.join(.rollout, "a", credit: 2)
        let b = talk.join(.rollout, "b", credit: 1)
        #expect(talk.coordinator.ledger[BatchID(2)]?.leases.first?.node == b)
        let fence = Fence(epoch: 1, attempt: 0)
        let failed = NodeMessage.leaseFailed(BatchID(0), fence, .internal, retryable: true, "oops")
        #expect(talk.says(a, failed).grants == [BatchID(3): a], "a has room, but has failed on it")
        #expect(talk.produces(b, 2).grants == [:], "the lead is reached")
        _ = talk.join(.trainer, "t")
        #expect(talk.coordinator.ledger[BatchID(0)]?.leases.first?.node == b)
    }
}
