import ClusterMessages
import Testing

@testable import Coordination

/// Batches made twice, and nodes that disagree.
@Suite struct AuditTests {
    var talk = Conversation()

    /// Rollouts of one kind, each with room for one batch; every batch is audited.
    private mutating func rollouts(_ names: String..., machines: [String] = []) -> [NodeID] {
        talk = Conversation {
            $0.auditShare = 1
            $0.leadBatches = 1
            $0.hedging = false
        }
        return names.enumerated().map { index, name in
            var arrival = talk.arrival(.rollout, name)
            arrival.machine = index < machines.count ? machines[index] : "m"
            let (node, _) = talk.hello(arrival)
            _ = talk.says(node, .credit(CreditWindow(batches: 1, byteCount: 1 << 20)))
            return node
        }
    }

    private mutating func claims(_ node: NodeID, _ batch: UInt64, _ hash: ContentHash) -> [Directive] {
        let fence = talk.coordinator.ledger.audit(of: BatchID(batch))?.lease?.fence
        let own = talk.coordinator.ledger[BatchID(batch)]?.lease(of: node)?.fence
        let none = Fence(epoch: 0, attempt: 0)
        return talk.says(node, .produced(BatchID(batch), own ?? fence ?? none, hash, byteCount: 100))
    }

    @Test func `the share chosen is the share asked for, and always the same`() {
        for share in [0, 0.02, 0.5, 1] {
            let chosen = (0..<20_000 as Range<UInt64>).count { Audit.isChosen(BatchID($0), share: share) }
            #expect(abs(Double(chosen) / 20_000 - share) < 0.01)
        }
        #expect(Audit.isChosen(BatchID(7), share: 0.3) == Audit.isChosen(BatchID(7), share: 0.3))
    }

    @Test mutating func `a batch is made again by another node, and its copy released when they agree`() {
        let nodes = rollouts("a", "b")
        let zero = BatchID(0)
        let directives = claims(nodes[0], 0, trajectoryHash(zero))
        #expect(directives.grants == [zero: nodes[1]])
        #expect(talk.coordinator.ledger.survey().load(of: nodes[1]).batches == 1)
        let again = claims(nodes[1], 0, trajectoryHash(zero))
        #expect(again.contains(.release(zero, trajectoryHash(zero), at: nodes[1])))
        #expect(talk.coordinator.ledger.audit(of: BatchID(0)) == nil)
        #expect(talk.coordinator.ledger[zero]?.holder == nodes[0])
    }

    @Test mutating func `two that differ tell nothing; the third one's word outvotes the wrong one`() {
        let nodes = rollouts("a", "b", "c")
        let zero = BatchID(0)
        #expect(claims(nodes[0], 0, testHash(7, 0)).grants[zero] == nodes[1])
        #expect(claims(nodes[1], 0, trajectoryHash(zero)).grants[zero] == nodes[2])
        #expect(talk.coordinator.membership.all.allSatisfy { !$0.isQuarantined })
        let directives = claims(nodes[2], 0, trajectoryHash(zero))
        #expect(talk.coordinator.membership[nodes[0]]?.isQuarantined == true)
        #expect(directives.contains(.release(zero, testHash(7, 0), at: nodes[0])))
        #expect(talk.coordinator.ledger[zero]?.leases.map(\.node) == [nodes[1]], "it is made anew")
        #expect(talk.coordinator.waitingOn(now: talk.now).contains { $0.contains("quarantine") })
    }

    @Test mutating func `a node in quarantine gets nothing and is not believed, until it is another process`()
    {
        let nodes = rollouts("a", "b", "c")
        for (node, hash) in zip(
            nodes,
            [testHash(7, 0), trajectoryHash(BatchID(0)), trajectoryHash(BatchID(0))]
        ) {
            _ = claims(node, 0, hash)
        }
        let late = talk.says(
            nodes[0],
            .produced(BatchID(0), Fence(epoch: 9, attempt: 9), testHash(7, 0), byteCount: 1)
        )
        #expect(late == [.release(BatchID(0), testHash(7, 0), at: nodes[0])])
        var back = talk.arrival(.rollout, "a")
        back.trajectories = [.init(batch: BatchID(0), hash: testHash(7, 0), byteCount: 100)]
        #expect(talk.hello(back).directives == [.release(BatchID(0), testHash(7, 0), at: nodes[0])])
        #expect(talk.says(nodes[0], .credit(CreditWindow(batches: 5, byteCount: 1 << 20))) == [])
        talk.now += .seconds(3)
        _ = talk.hello(talk.arrival(.rollout, "a", process: 2))
        #expect(talk.coordinator.membership[nodes[0]]?.isQuarantined == false)
    }

    @Test mutating func `processors of different kinds are not compared`() {
        let nodes = rollouts("a", "b", machines: ["m", "n"])
        #expect(claims(nodes[0], 0, testHash(7, 0)).grants[BatchID(0)] == nil)
        #expect(talk.coordinator.ledger.audit(of: BatchID(0))?.lease == nil)
    }

    @Test mutating func `a node that cannot make the batch again is asked no more`() {
        let nodes = rollouts("a", "b")
        _ = claims(nodes[0], 0, trajectoryHash(BatchID(0)))
        let fence = talk.coordinator.ledger.audit(of: BatchID(0))?.lease?.fence ?? Fence(epoch: 0, attempt: 0)
        let failed = NodeMessage.leaseFailed(BatchID(0), fence, .internal, retryable: true, "oops")
        #expect(talk.says(nodes[1], failed).grants[BatchID(0)] == nil)
        #expect(talk.coordinator.ledger.audit(of: BatchID(0))?.failedOn == [nodes[1]])
        #expect(talk.coordinator.ledger[BatchID(0)]?.failedOn == [], "the batch itself is whole")
    }

    @Test mutating func `an audit outlives its deadline and its node, but not with them`() {
        let nodes = rollouts("a", "b", "c")
        _ = claims(nodes[0], 0, trajectoryHash(BatchID(0)))
        #expect(talk.coordinator.ledger.audit(of: BatchID(0))?.lease?.node == nodes[1])
        let directives = talk.wait(10, silent: [nodes[1]])
        #expect(directives.grants[BatchID(0)] == nodes[2])
        _ = talk.wait(30)
        #expect(talk.coordinator.ledger.audit(of: BatchID(0))?.failedOn == [nodes[2]])
    }

    @Test mutating func `results that differ without an audit begin one`() {
        talk = Conversation {
            $0.auditShare = 1e-9
            $0.leadBatches = 1
        }
        let nodes = ["a", "b"].map { talk.join(.rollout, $0, credit: 1) }
        _ = talk.produces(nodes[0], 0)
        #expect(talk.coordinator.ledger.audit(of: BatchID(0)) == nil)
        let fence = Fence(epoch: 0, attempt: 0)
        _ = talk.says(nodes[1], .produced(BatchID(0), fence, testHash(7, 0), byteCount: 1))
        #expect(talk.coordinator.ledger.audit(of: BatchID(0))?.claims.count == 2)
    }
}
