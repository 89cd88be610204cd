import ClusterMessages
import Testing

@testable import Coordination

/// How work is handed out: gates, credits, preferences.
@Suite struct CoordinatorWorkTests {
    var talk = Conversation()

    @Test mutating func `a rollout with credit is leased batches up to the lead`() {
        let node = talk.hello(talk.arrival(.rollout, "a")).node
        let directives = talk.says(node, .credit(CreditWindow(batches: 9, byteCount: 1000)))
        #expect(directives.grants == [BatchID(0): node, BatchID(1): node])
        #expect(talk.census == Census(leased: 2))
    }

    @Test mutating func `without trainers rollouts stop at the lead, and go on when a trainer takes a batch`()
    {
        let rollout = talk.join(.rollout, "a")
        #expect(talk.produces(rollout, 0) == [])
        #expect(talk.produces(rollout, 1) == [])
        let trainer = talk.hello(talk.arrival(.trainer, "t")).node
        let directives = talk.says(trainer, .credit(CreditWindow(batches: 1, byteCount: 1000)))
        #expect(directives.assignments == [BatchID(0): trainer])
        #expect(directives.grants == [BatchID(2): rollout])
    }

    @Test mutating func `leases go to the rollout with the fewest, within its window`() {
        talk = Conversation { $0.leadBatches = 4 }
        let first = talk.join(.rollout, "a", credit: 1)
        let second = talk.hello(talk.arrival(.rollout, "b")).node
        let directives = talk.says(second, .credit(CreditWindow(batches: 2, byteCount: 1000)))
        #expect(directives.grants == [BatchID(1): second, BatchID(2): second])
        #expect(talk.coordinator.ledger.survey().load(of: first) == Load(batches: 1, byteCount: 0))
    }

    @Test(arguments: [CoordinationSettings.Assignment.ready, .ordered])
    mutating func `rollouts that have as little to do as others get leases in turn`(
        assignment: CoordinationSettings.Assignment
    ) {
        talk = Conversation {
            $0.leadBatches = 1
            $0.assignment = assignment
            $0.batchesPerRound = 9
            $0.trainerLimit = CreditWindow(batches: 9, byteCount: 1000)
        }
        let rollouts = ["a", "b", "c"].map { talk.join(.rollout, $0) }
        _ = talk.join(.trainer, "t", credit: 9)
        for batch in 1...5 as ClosedRange<UInt64> {
            let next = rollouts[Int(batch) % 3]
            let former = rollouts[Int(batch - 1) % 3]
            #expect(talk.produces(former, batch - 1).grants == [BatchID(batch): next])
        }
    }

    @Test mutating func `a rollout whose spool is full gets no lease`() {
        let rollout = talk.join(.rollout, "a", credit: 1)
        #expect(talk.produces(rollout, 0, byteCount: 600).isEmpty, "600 bytes held and 600 to come")
        #expect(talk.coordinator.waitingOn(now: talk.now).contains { $0.hasPrefix("a has no room") })
    }

    @Test mutating func `a batch that failed on one rollout goes to another`() {
        talk = Conversation { $0.leadBatches = 1 }
        let first = talk.join(.rollout, "a")
        let second = talk.join(.rollout, "b")
        let fence = Fence(epoch: 1, attempt: 0)
        let failed = NodeMessage.leaseFailed(BatchID(0), fence, .internal, retryable: true, "oops")
        #expect(talk.says(first, failed).grants == [BatchID(0): second])
    }

    @Test mutating func `a member's window bounds what it is assigned, in batches and in bytes`() {
        talk = Conversation { $0.leadBatches = 9 }
        let rollout = talk.join(.rollout, "a", credit: 3)
        let trainer = talk.hello(talk.arrival(.trainer, "t")).node
        _ = talk.says(trainer, .credit(CreditWindow(batches: 9, byteCount: 250)))
        for batch in 0..<2 as Range<UInt64> {
            #expect(talk.produces(rollout, batch).assignments == [BatchID(batch): trainer])
        }
        #expect(talk.produces(rollout, 2).assignments == [:])
        #expect(talk.consumes(trainer, 0).assignments == [BatchID(2): trainer])
    }

    @Test mutating func `nothing is assigned to a trainer outside the round, or from a holder that is late`()
    {
        let rollout = talk.join(.rollout, "a")
        _ = talk.join(.trainer, "t")
        var late = talk.arrival(.trainer, "u")
        late.parameters = nil
        let (joiner, _) = talk.hello(late)
        _ = talk.says(joiner, .credit(CreditWindow(batches: 2, byteCount: 1000)))
        #expect(!talk.produces(rollout, 0).assignments.values.contains(joiner))
        _ = talk.produces(rollout, 1)
        _ = talk.wait(3, silent: [rollout])
        let trainer = talk.join(.trainer, "t2", credit: 0)
        #expect(talk.says(trainer, .credit(CreditWindow(batches: 2, byteCount: 1000))).assignments == [:])
    }

    @Test
    mutating func
        `a trainer that cannot reach a rollout leaves its batches to others, and tries again later`()
    {
        talk = Conversation { $0.trainersAtStart = 2 }
        let rollout = talk.join(.rollout, "a")
        let trainer = talk.join(.trainer, "t")
        let other = talk.join(.trainer, "u", credit: 0)
        _ = talk.produces(rollout, 0)
        #expect(talk.stage(0) == .assigned(to: trainer))
        let unreachable = NodeMessage.fetchFailed(
            BatchID(0),
            trajectoryHash(BatchID(0)),
            holder: rollout,
            .expired
        )
        #expect(talk.says(trainer, unreachable).assignments == [:])
        #expect(talk.stage(0) == .produced)
        let directives = talk.says(other, .credit(CreditWindow(batches: 1, byteCount: 1000)))
        #expect(directives.assignments == [BatchID(0): other])
        _ = talk.produces(rollout, 1)
        #expect(talk.wait(9).assignments == [:])
        #expect(talk.wait(1).assignments == [BatchID(1): trainer])
    }

    @Test mutating func `an expired lease goes to the next rollout, and its first holder is told`() {
        let first = talk.join(.rollout, "a")
        _ = talk.wait(29)
        let second = talk.join(.rollout, "b")
        let directives = talk.pass(.seconds(1))
        #expect(directives.contains(.cancelLease(BatchID(0), Fence(epoch: 1, attempt: 0), at: first)))
        #expect(directives.grants[BatchID(0)] == second)
    }

    @Test mutating func `a dead rollout's leases and trajectories are made again`() {
        let first = talk.join(.rollout, "a")
        _ = talk.produces(first, 0)
        let second = talk.join(.rollout, "b")
        let directives = talk.wait(10, silent: [first])
        #expect(directives.grants == [BatchID(0): second, BatchID(1): second])
        #expect(talk.coordinator.ledger[BatchID(0)]?.failedOn == [])
        #expect(talk.coordinator.ledger[BatchID(1)]?.failedOn == [first])
    }

    @Test mutating func `a leaving rollout's leases do not count as failed`() {
        let rollout = talk.join(.rollout, "a")
        #expect(talk.says(rollout, .goodbye("done")) == [])
        #expect(talk.census == Census(pending: 2))
        #expect(talk.coordinator.ledger[BatchID(0)]?.failedOn == [])
    }

    @Test mutating func `a draining rollout gets no new lease, and is asked to leave`() {
        let rollout = talk.join(.rollout, "a", credit: 1)
        #expect(talk.happens(.command(.drainNode(rollout))) == [.drain(rollout)])
        #expect(talk.produces(rollout, 0) == [])
        #expect(talk.census == Census(produced: 1))
    }

    @Test mutating func `a paused run hands out nothing until it is resumed`() {
        #expect(talk.happens(.command(.pause)) == [])
        let rollout = talk.join(.rollout, "a")
        #expect(talk.census.total == 0)
        #expect(talk.coordinator.waitingOn(now: talk.now).first == "the run is paused")
        #expect(talk.happens(.command(.resume)).grants == [BatchID(0): rollout, BatchID(1): rollout])
    }

    @Test mutating func `a node that greets again hears again what it may have missed`() {
        let rollout = talk.join(.rollout, "a")
        let trainer = talk.join(.trainer, "t")
        _ = talk.produces(rollout, 0)
        var back = talk.arrival(.rollout, "a")
        back.trajectories = [.init(batch: BatchID(0), hash: trajectoryHash(BatchID(0)), byteCount: 100)]
        #expect(talk.hello(back).directives.grants == [BatchID(1): rollout, BatchID(2): rollout])
        let (same, repeated) = talk.hello(talk.arrival(.trainer, "t"))
        #expect(same == trainer)
        #expect(repeated.assignments == [BatchID(0): trainer])
        #expect(repeated.contains(.open(RoundNumber(1), to: [trainer])))
    }

    @Test mutating func `a hung trainer's batches go to others, and time without work is not its fault`() {
        talk = Conversation {
            $0.trainerStall = .seconds(20)
            $0.leaseFloor = .seconds(1000)
        }
        let rollout = talk.join(.rollout, "a")
        let trainer = talk.join(.trainer, "t")
        _ = talk.wait(25)
        #expect(talk.coordinator.membership[trainer]?.isPresent == true)
        _ = talk.produces(rollout, 0)
        #expect(talk.stage(0) == .assigned(to: trainer))
        #expect(talk.wait(19) == [])
        let reason = "it has work and made no progress"
        #expect(talk.wait(1).contains(.abort(RoundNumber(1), at: trainer, reason: reason)))
        #expect(talk.stage(0) == .produced)
    }
}
