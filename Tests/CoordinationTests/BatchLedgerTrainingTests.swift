import ClusterMessages
import Testing

@testable import Coordination

/// What trainers do to a ledger: rollouts are 1 and 2, trainers 3 and 4.
@Suite struct BatchLedgerTrainingTests {
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

    func use(_ number: Int = 1, of batch: BatchID? = nil, samples: Int = 4, hash: ContentHash? = nil)
        -> Consumption
    {
        Consumption(
            batch: batch ?? zero,
            hash: hash ?? self.hash,
            round: RoundNumber(1),
            samples: samples,
            use: number
        )
    }

    @Test mutating func `a trainer keeps a batch whose holder is lost, and a new holder is welcome`() {
        produce()
        ledger.assign(zero, to: trainer)
        _ = ledger.lose(rollout: rollout, fault: nil)
        #expect(stage(zero) == .assigned(to: trainer))
        _ = ledger.produced(zero, nil, hash, byteCount: 100, by: other, now: seconds(2))
        #expect(ledger[zero]?.holder == other)
    }

    @Test(arguments: [ErrorCode.notFound, .corrupt, .expired])
    mutating func `a fetch that fails for the bytes' sake sends the batch back, one for the way's does not`(
        code: ErrorCode
    ) {
        produce()
        ledger.assign(zero, to: trainer)
        let directives = ledger.fetchFailed(zero, hash, holder: rollout, by: trainer, code)
        if code == .expired {
            #expect(directives == [])
            #expect(stage(zero) == .produced)
        } else {
            #expect(directives.first == .release(zero, hash, at: rollout))
            #expect(stage(zero) == .pending)
            #expect(ledger[zero]?.failedOn == [rollout])
        }
    }

    @Test mutating func `a fetch that fails for somebody else is ignored`() {
        produce()
        ledger.assign(zero, to: trainer)
        #expect(ledger.fetchFailed(zero, hash, holder: rollout, by: rival, .notFound) == [])
        #expect(ledger.fetchFailed(zero, testHash(8, 8), holder: rollout, by: trainer, .notFound) == [])
        #expect(stage(zero) == .assigned(to: trainer))
    }

    @Test mutating func `a use is counted once`() {
        produce()
        ledger.assign(zero, to: trainer)
        #expect(ledger.consume(use(), by: trainer) == .counted([]))
        #expect(ledger.consume(use(), by: trainer) == .repeated)
        #expect(stage(zero) == .consumed(by: trainer))
        #expect(ledger.survey().samples == [trainer: 4])
    }

    @Test mutating func `a batch may be used as often as the settings say, one use after the other`() {
        ledger = Self.ledger { $0.usesPerBatch = 2 }
        produce()
        ledger.assign(zero, to: trainer)
        #expect(ledger.consume(use(1), by: trainer) == .counted([]))
        #expect(stage(zero) == .assigned(to: trainer))
        #expect(ledger.consume(use(3), by: trainer) == .conflict("use 3 of batch 0 after 1 of 2"))
        #expect(ledger.consume(use(2), by: trainer) == .counted([]))
        #expect(ledger.uses(by: [trainer]) == [BatchUse(batch: zero, trainer: trainer, uses: 2)])
        #expect(ledger.consume(use(3), by: trainer) == .conflict("use 3 of batch 0 after 2 of 2"))
    }

    @Test mutating func `a trainer may not use what belongs to another, is settled or was never issued`() {
        produce()
        ledger.assign(zero, to: rival)
        #expect(ledger.consume(use(), by: trainer) == .conflict("batch 0 belongs to trainer 4"))
        #expect(ledger.consume(use(of: BatchID(5)), by: trainer) == .conflict("batch 5 is unknown"))
        _ = ledger.settle(zero)
        #expect(ledger.consume(use(), by: trainer) == .conflict("batch 0 is settled"))
    }

    @Test(arguments: [0, -1, 1 << 40])
    mutating func `a use of an impossible number of samples is refused`(samples: Int) {
        produce()
        ledger.assign(zero, to: trainer)
        #expect(
            ledger.consume(use(samples: samples), by: trainer) == .conflict("\(samples) samples of batch 0")
        )
    }

    @Test
    mutating func `a use told again takes its batch back from the pool, and from a rollout at work on it`() {
        let lease = lease()
        #expect(
            ledger.consume(use(), by: trainer) == .counted([.cancelLease(zero, lease.fence, at: rollout)])
        )
        #expect(stage(zero) == .consumed(by: trainer))
    }

    @Test mutating func `a lost trainer's batches return to their holder, or are produced again without one`()
    {
        produce()
        ledger.assign(zero, to: trainer)
        _ = ledger.consume(use(), by: trainer)
        ledger.takeBack(from: trainer, includingUsed: false)
        #expect(stage(zero) == .consumed(by: trainer))
        ledger.takeBack(from: trainer, includingUsed: true)
        #expect(stage(zero) == .produced)
        #expect(ledger.survey().samples == [:])

        ledger.assign(zero, to: rival)
        _ = ledger.lose(rollout: rollout, fault: nil)
        ledger.takeBack(from: rival, includingUsed: true)
        #expect(stage(zero) == .pending)
    }

    @Test mutating func `a commit settles the plan's batches and returns the others`() {
        for number in 0..<2 as Range<UInt64> {
            let id = BatchID(number)
            let fence = lease().fence
            _ = ledger.produced(id, fence, trajectoryHash(id), byteCount: 1, by: rollout, now: seconds(1))
            ledger.assign(id, to: number == 0 ? trainer : rival)
        }
        _ = ledger.consume(use(), by: trainer)
        _ = ledger.consume(use(of: BatchID(1), hash: trajectoryHash(BatchID(1))), by: rival)
        let plan = RoundPlan(
            round: RoundNumber(1),
            contributions: [.init(node: trainer, samples: 4, offer: testHash(9, 3))],
            excluded: [rival],
            uses: ledger.uses(by: [trainer]),
            issued: ledger.issued
        )
        #expect(ledger.commit(plan) == [.release(zero, hash, at: rollout)])
        #expect(ledger.survey().census == Census(produced: 1, committed: 1))
        #expect(stage(BatchID(1)) == .produced)
    }
}
