import ClusterMessages
import Testing

@testable import Coordination

/// What rollouts do to a ledger: they are 1 and 2, trainers 3 and 4.
@Suite struct BatchLedgerTests {
    let rollout = NodeID(1)
    let other = NodeID(2)
    let trainer = NodeID(3)
    let rival = NodeID(4)
    let zero = BatchID(0)
    let hash = trajectoryHash(BatchID(0))
    var ledger = Self.ledger()

    static func ledger(_ adjust: (inout CoordinationSettings) -> Void = { _ in }) -> BatchLedger {
        var settings = CoordinationSettings()
        adjust(&settings)
        return BatchLedger(restoring: beginning, settings: settings)
    }

    func stage(_ batch: BatchID) -> Batch.Stage? { ledger[batch]?.stage }

    mutating func lease(at moment: Double = 0) -> GrantedLease {
        ledger.lease(to: rollout, epoch: 7, now: seconds(moment))
    }

    mutating func produce() {
        let lease = lease()
        _ = ledger.produced(lease.batch, lease.fence, hash, byteCount: 100, by: rollout, now: seconds(1))
    }

    // MARK: Leases

    @Test mutating func `batches are issued in the order of the corpus`() {
        #expect([lease().batch, lease().batch, lease().batch] == [BatchID(0), BatchID(1), BatchID(2)])
        #expect(ledger.issued == 3)
    }

    @Test mutating func `a batch that came back is leased before a new one, with a higher fence`() {
        let first = lease()
        _ = lease()
        _ = ledger.lose(rollout: rollout, fault: nil)
        let again = ledger.lease(to: other, epoch: 8, now: seconds(1))
        #expect(again.batch == first.batch)
        #expect(again.fence == Fence(epoch: 8, attempt: 1))
        #expect(again.fence > first.fence)
    }

    @Test mutating func `a lease ends at its deadline`() {
        let lease = lease()
        #expect(ledger.expireLeases(now: seconds(29.9)) == [])
        let expired = ledger.expireLeases(now: seconds(30))
        #expect(expired.first == .cancelLease(zero, lease.fence, at: rollout))
        #expect(stage(zero) == .pending)
    }

    @Test mutating func `progress prolongs a lease`() {
        _ = lease()
        ledger.renewLeases(of: rollout, now: seconds(20))
        ledger.renewLeases(of: other, now: seconds(40))
        #expect(ledger.expireLeases(now: seconds(49.9)) == [])
        #expect(ledger.expireLeases(now: seconds(50)).isEmpty == false)
    }

    @Test mutating func `a lease that its node has overtaken is prolonged no more`() {
        _ = lease(at: 0)
        let later = lease(at: 1)
        let result = trajectoryHash(later.batch)
        _ = ledger.produced(later.batch, later.fence, result, byteCount: 1, by: rollout, now: seconds(5))
        ledger.renewLeases(of: rollout, now: seconds(20))
        #expect(ledger.expireLeases(now: seconds(30)).count == 2)
        #expect(stage(zero) == .pending)
    }

    @Test mutating func `time in which the coordinator stood still does not count`() {
        _ = lease()
        ledger.postpone(by: .seconds(100))
        #expect(ledger.expireLeases(now: seconds(129)) == [])
    }

    @Test mutating func `a failed lease sends its batch back, an older one's failure does not`() {
        let lease = lease()
        let old = Fence(epoch: 1, attempt: 0)
        #expect(ledger.leaseFailed(zero, old, at: rollout, isRetryable: true, "late") == [])
        #expect(ledger.leaseFailed(zero, lease.fence, at: other, isRetryable: true, "stray") == [])
        #expect(stage(zero) == .leased(lease))
        let text = "out of memory"
        let failed = ledger.leaseFailed(zero, lease.fence, at: rollout, isRetryable: true, text)
        #expect(failed == [.record(Occurrence(.leaseFailed, node: rollout, batch: zero, text))])
        #expect(stage(zero) == .pending)
    }

    @Test mutating func `a batch dies with its last try, and the reason is kept`() {
        ledger = Self.ledger { $0.attempts = 2 }
        for _ in 0..<2 {
            let lease = lease()
            let directives = ledger.leaseFailed(zero, lease.fence, at: rollout, isRetryable: true, "broken")
            let letter = DeadLetter(batch: zero, failures: 2, reason: "broken")
            #expect(directives.contains(.bury(letter)) == (lease.fence.attempt == 1))
        }
        #expect(ledger.survey().census == Census(dead: 1))
        #expect(lease().batch == BatchID(1))
    }

    @Test mutating func `a failure that no other node would survive kills a batch at once`() {
        let lease = lease()
        let directives = ledger.leaseFailed(
            zero,
            lease.fence,
            at: rollout,
            isRetryable: false,
            "no such prompt"
        )
        #expect(directives.contains(.bury(DeadLetter(batch: zero, failures: 1, reason: "no such prompt"))))
    }

    @Test(arguments: [nil, "it died"])
    mutating func `only a fault counts against the batches of a lost rollout`(fault: String?) {
        _ = lease()
        _ = ledger.lose(rollout: rollout, fault: fault)
        #expect(stage(zero) == .pending)
        #expect(ledger[zero]?.failedOn == (fault == nil ? [] : [rollout]))
    }

    // MARK: Results

    @Test mutating func `a result is taken with the lease's fence`() {
        let lease = lease()
        let directives = ledger.produced(
            zero,
            lease.fence,
            hash,
            byteCount: 100,
            by: rollout,
            now: seconds(1)
        )
        #expect(directives == [])
        #expect(ledger.waiting == [ProducedBatch(batch: zero, hash: hash, byteCount: 100, holder: rollout)])
    }

    @Test mutating func `a late result is taken too, and spares the other rollout the work`() {
        let late = lease()
        _ = ledger.expireLeases(now: seconds(30))
        let lease = ledger.lease(to: other, epoch: 8, now: seconds(30))
        let directives = ledger.produced(zero, late.fence, hash, byteCount: 1, by: rollout, now: seconds(31))
        #expect(directives.first == .cancelLease(zero, lease.fence, at: other))
        #expect(ledger.waiting.first?.holder == rollout)
    }

    @Test mutating func `a second result is released, and one with another hash noted as a divergence`() {
        produce()
        let fence = Fence(epoch: 7, attempt: 1)
        let equal = ledger.produced(zero, fence, hash, byteCount: 100, by: other, now: seconds(2))
        #expect(equal.first == .release(zero, hash, at: other))
        let different = ledger.produced(
            zero,
            fence,
            testHash(8, 8),
            byteCount: 100,
            by: other,
            now: seconds(2)
        )
        #expect(different.contains(.release(zero, testHash(8, 8), at: other)))
        #expect(different.contains { if case .record(let it) = $0 { it.kind == .diverged } else { false } })
        #expect(
            ledger.waiting.first == ProducedBatch(batch: zero, hash: hash, byteCount: 100, holder: rollout)
        )
    }

    @Test mutating func `a repeated report of the same result changes nothing`() {
        produce()
        let fence = Fence(epoch: 7, attempt: 0)
        #expect(ledger.produced(zero, fence, hash, byteCount: 100, by: rollout, now: seconds(2)) == [])
    }

    @Test mutating func `a result nobody asked for is released`() {
        let unknown = BatchID(99)
        let directives = ledger.produced(unknown, nil, hash, byteCount: 1, by: rollout, now: seconds(0))
        #expect(directives == [.release(unknown, hash, at: rollout)])
        #expect(ledger.survey().census.total == 0)
    }

    @Test mutating func `a batch whose holder is lost is produced again, and compared with the first result`()
    {
        produce()
        _ = ledger.lose(rollout: rollout, fault: "it died")
        #expect(stage(zero) == .pending)
        #expect(ledger[zero]?.failedOn == [])
        let lease = ledger.lease(to: other, epoch: 8, now: seconds(2))
        let redone = ledger.produced(
            zero,
            lease.fence,
            testHash(8, 8),
            byteCount: 1,
            by: other,
            now: seconds(3)
        )
        #expect(redone.contains { if case .record(let it) = $0 { it.kind == .diverged } else { false } })
    }

    // MARK: Restoring and reconciling

    @Test func `what a snapshot neither committed nor buried is pending`() {
        var snapshot = beginning
        snapshot.issued = 4
        snapshot.committed = [BatchID(0), BatchID(2)]
        snapshot.dead = [BatchID(5)]
        let ledger = BatchLedger(restoring: snapshot, settings: CoordinationSettings())
        #expect(ledger.issued == 6)
        #expect(ledger.survey().census == Census(pending: 3, committed: 2, dead: 1))
        #expect((0..<6).filter { ledger[BatchID($0)] != nil } == [1, 3, 4])
    }

    @Test mutating func `a hello is right about trajectories, and gets its leases back or loses them`() {
        let kept = lease()
        let forgotten = lease()
        let produced = lease()
        _ = ledger.produced(produced.batch, produced.fence, hash, byteCount: 1, by: rollout, now: seconds(1))
        let rivals = ledger.lease(to: other, epoch: 7, now: seconds(1))
        var arrival = Arrival(
            identity: "a",
            name: "a",
            role: .rollout,
            incarnation: Incarnation(1),
            sequence: 1
        )
        let stray = Fence(epoch: 3, attempt: 0)
        arrival.leases = [
            .init(batch: kept.batch, fence: kept.fence), .init(batch: rivals.batch, fence: stray),
            .init(batch: BatchID(77), fence: stray),
        ]
        let directives = ledger.reconcile(arrival, as: rollout, now: seconds(2))
        #expect(directives.contains(.grant(forgotten)))
        #expect(directives.contains(.cancelLease(rivals.batch, stray, at: rollout)))
        #expect(directives.contains(.cancelLease(BatchID(77), stray, at: rollout)))
        #expect(stage(kept.batch) == .leased(kept))
        #expect(stage(produced.batch) == .pending, "the hello did not mention its trajectory")
    }

    @Test
    mutating func `a pending batch that a node is at work on is leased to it again, whatever the fence says`()
    {
        _ = lease()
        _ = ledger.lose(rollout: rollout, fault: nil)
        var arrival = Arrival(
            identity: "a",
            name: "a",
            role: .rollout,
            incarnation: Incarnation(1),
            sequence: 1
        )
        arrival.leases = [.init(batch: zero, fence: Fence(epoch: 3, attempt: .max))]
        #expect(ledger.reconcile(arrival, as: rollout, now: seconds(2)) == [])
        #expect(ledger[zero]?.leases.first?.node == rollout)
    }

    @Test mutating func `unused assignments are repeated, and those nobody serves are given up`() {
        produce()
        ledger.assign(zero, to: trainer)
        let trajectory = ProducedBatch(batch: zero, hash: hash, byteCount: 100, holder: rollout)
        #expect(ledger.assignAgain(to: trainer) == [.assign(trajectory, to: trainer)])
        _ = ledger.lose(rollout: rollout, fault: nil)
        #expect(ledger.assignAgain(to: trainer) == [])
        #expect(stage(zero) == .pending)
    }
}
