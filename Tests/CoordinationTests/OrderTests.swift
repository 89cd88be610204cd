import ClusterMessages
import Testing

@testable import Coordination

/// Batches that are whose by their numbers, used in order of number.
@Suite struct OrderTests {
    var talk = Self.conversation()
    var rollout = NodeID.coordinator
    var trainers: [NodeID] = []

    static func conversation(
        _ snapshot: RunSnapshot = beginning,
        _ adjust: (inout CoordinationSettings) -> Void = { _ in }
    ) -> Conversation {
        Conversation(snapshot) {
            $0.assignment = .ordered
            $0.batchesPerRound = 2
            $0.leadBatches = 8
            $0.auditShare = 0
            $0.trainersAtStart = 2
            adjust(&$0)
        }
    }

    /// A rollout and two trainers; who comes first is not who is first.
    mutating func begin() {
        rollout = talk.join(.rollout, "a", credit: 9)
        let second = talk.join(.trainer, "u")
        trainers = [talk.join(.trainer, "t"), second]
    }

    /// Trains a member on two batches and lets it offer.
    mutating func complete(_ member: Int, _ batches: UInt64...) -> [Directive] {
        for batch in batches { _ = talk.consumes(trainers[member], batch) }
        return talk.offers(trainers[member], samples: 8)
    }

    /// What a trainer is told to begin before each of the batches it is assigned.
    func befores(_ directives: [Directive]) -> [BatchID: BatchID?] {
        let assigned = directives.compactMap { directive -> ProducedBatch? in
            guard case .assign(let trajectory, _) = directive else { return nil }
            return trajectory
        }
        return Dictionary(assigned.map { ($0.batch, $0.after) }) { $1 }
    }

    @Test mutating func `a batch is the member's whose turn its number is, whoever makes it and whenever`() {
        begin()
        #expect(talk.produces(rollout, 3).assignments == [:], "batch 1 comes before it")
        #expect(talk.produces(rollout, 0).assignments == [BatchID(0): trainers[0]])
        let both = talk.produces(rollout, 1)
        #expect(both.assignments == [BatchID(1): trainers[1], BatchID(3): trainers[1]])
        #expect(befores(both) == [BatchID(1): nil, BatchID(3): BatchID(1)])
        #expect(talk.produces(rollout, 2).assignments == [BatchID(2): trainers[0]])
    }

    @Test mutating func `what the open round does not need is made but not assigned`() {
        begin()
        for batch in 0..<6 as Range<UInt64> { _ = talk.produces(rollout, batch) }
        #expect(talk.stage(3) == .assigned(to: trainers[1]))
        #expect(talk.stage(4) == .produced && talk.stage(5) == .produced)
        _ = complete(0, 0, 2)
        #expect(talk.stage(4) == .produced, "not before the other member has offered")
        #expect(complete(1, 1, 3).plan?.uses.count == 4)
        _ = talk.happens(.stored(version(1)))
        for name in ["u", "t"] { _ = talk.hello(talk.arrival(.trainer, name)) }
        #expect(talk.stage(4) == .assigned(to: trainers[0]))
        #expect(talk.stage(5) == .assigned(to: trainers[1]))
    }

    @Test mutating func `a batch that cannot be fetched comes back to its trainer, which waits for it`() {
        begin()
        for batch in 0..<4 as Range<UInt64> { _ = talk.produces(rollout, batch) }
        let failed = NodeMessage.fetchFailed(
            BatchID(0),
            trajectoryHash(BatchID(0)),
            holder: rollout,
            .expired
        )
        #expect(talk.says(trainers[0], failed).assignments == [:])
        #expect(talk.stage(0) == .produced && talk.stage(2) == .assigned(to: trainers[0]))
        let again = talk.pass(.seconds(1))
        #expect(again.assignments == [BatchID(0): trainers[0]])
        #expect(befores(again) == [BatchID(0): nil])
    }

    @Test mutating func `where another rollout is here, it makes the batch that could not be fetched`() {
        begin()
        let other = talk.join(.rollout, "b", credit: 9)
        for batch in 0..<4 as Range<UInt64> { _ = talk.produces(rollout, batch) }
        let failed = NodeMessage.fetchFailed(
            BatchID(0),
            trajectoryHash(BatchID(0)),
            holder: rollout,
            .expired
        )
        let directives = talk.says(trainers[0], failed)
        #expect(directives.grants[BatchID(0)] == other)
        #expect(directives.contains(.release(BatchID(0), trajectoryHash(BatchID(0)), at: rollout)))
        #expect(talk.produces(other, 0).assignments == [BatchID(0): trainers[0]])
    }

    @Test mutating func `a batch that dies is skipped by the coordinator's word`() {
        begin()
        for batch in 0..<4 as Range<UInt64> { _ = talk.produces(rollout, batch) }
        let lost = NodeMessage.fetchFailed(BatchID(1), trajectoryHash(BatchID(1)), holder: rollout, .corrupt)
        let directives = talk.says(trainers[1], lost)
        #expect(directives.grants == [BatchID(1): rollout])
        let fence = talk.coordinator.ledger[BatchID(1)]?.leases.first?.fence ?? Fence(epoch: 0, attempt: 0)
        let dead = talk.says(rollout, .leaseFailed(BatchID(1), fence, .nonFinite, retryable: false, "NaN"))
        #expect(befores(dead)[BatchID(3)] == .some(nil), "nothing comes before batch 3 any more")
        #expect(dead.grants[BatchID(5)] == nil, "it is being made already")
        #expect(talk.produces(rollout, 5).assignments == [BatchID(5): trainers[1]])
    }

    @Test mutating func `a hole is filled whatever else fills the lead`() {
        talk = Self.conversation { $0.leadBatches = 1 }
        begin()
        _ = talk.produces(rollout, 0)
        _ = talk.produces(rollout, 1)
        _ = talk.produces(rollout, 2)
        #expect(talk.stage(3) == .leased(talk.coordinator.ledger[BatchID(3)]!.leases[0]))
        _ = complete(0, 0, 2)
        let lost = NodeMessage.fetchFailed(BatchID(1), trajectoryHash(BatchID(1)), holder: rollout, .notFound)
        #expect(talk.says(trainers[1], lost).grants == [BatchID(1): rollout])
    }

    @Test mutating func `a round in order waits for a member that was killed, and gives it the same again`() {
        begin()
        for batch in 0..<4 as Range<UInt64> { _ = talk.produces(rollout, batch) }
        _ = talk.consumes(trainers[1], 1)
        _ = talk.wait(10, silent: [trainers[1]])
        #expect(talk.coordinator.membership[trainers[1]]?.standing == .dead)
        #expect(complete(0, 0, 2).plan == nil, "the quorum is there, the member may come back")
        let (node, _) = talk.hello(talk.arrival(.trainer, "u", process: 2))
        let again = talk.says(node, .credit(CreditWindow(batches: 2, byteCount: 1000)))
        #expect(node == trainers[1])
        #expect(again.assignments == [BatchID(1): node, BatchID(3): node])
        #expect(complete(1, 1, 3).plan?.contributions.map(\.node) == trainers, "in the order of their names")
    }

    @Test mutating func `a member that says goodbye is not waited for`() {
        begin()
        for batch in 0..<4 as Range<UInt64> { _ = talk.produces(rollout, batch) }
        _ = talk.says(trainers[1], .goodbye("stopped"))
        #expect(complete(0, 0, 2).plan?.excluded == [trainers[1]])
    }

    @Test mutating func `a round does not open without the last one's members before the grace is over`() {
        begin()
        for batch in 0..<4 as Range<UInt64> { _ = talk.produces(rollout, batch) }
        _ = complete(1, 1, 3)
        _ = talk.wait(10, silent: [trainers[1]])
        #expect(complete(0, 0, 2).plan?.contributions.count == 2, "its offer is complete")
        _ = talk.happens(.stored(version(1)))
        let (_, alone) = talk.hello(talk.arrival(.trainer, "t"))
        #expect(!alone.contains(.open(RoundNumber(2), to: [trainers[0]])))
        let expected = "round 2 waits for u to come back, 60 s at most"
        #expect(talk.coordinator.waitingOn(now: talk.now).contains(expected))
        _ = talk.wait(60, silent: [trainers[1]])
        #expect(talk.coordinator.round.members == [trainers[0]])
    }

    @Test mutating func `after a restart the last round's members are waited for as well`() {
        var snapshot = RunSnapshot(generation: 1, parameters: version(1))
        snapshot.nodes = ["a", "u", "t"].enumerated().map { index, name in
            KnownNode(
                id: NodeID(UInt32(index + 1)),
                identity: name,
                role: name == "a" ? .rollout : .trainer,
                name: name
            )
        }
        snapshot.issued = 4
        snapshot.committed = (0..<4).map { BatchID($0) }
        snapshot.contributors = [NodeID(2), NodeID(3)]
        talk = Self.conversation(snapshot)
        _ = talk.join(.rollout, "a", credit: 9)
        let first = talk.join(.trainer, "t")
        _ = talk.wait(10)
        #expect(talk.coordinator.round.members == [], "only the grace after hearing everybody opens it")
        let second = talk.join(.trainer, "u")
        #expect(talk.coordinator.round.members == [second, first])
        #expect(talk.stage(4) != nil)
    }

    @Test mutating func `a trainer that is one download behind is waited for, whatever the order`() {
        talk = Conversation { $0.leadBatches = 1 }
        rollout = talk.join(.rollout, "a")
        let first = talk.join(.trainer, "t")
        _ = talk.produces(rollout, 0)
        // It comes when the round is open, so it is no member.
        let second = talk.join(.trainer, "u")
        _ = talk.consumes(first, 0)
        #expect(talk.offers(first, samples: 4).plan?.contributions.count == 1)
        _ = talk.happens(.stored(version(1)))
        // The first has the committed parameters already, as they are its own.
        let quick = talk.hello(talk.arrival(.trainer, "t")).directives
        #expect(!quick.contains(.open(RoundNumber(2), to: [first])))
        let slow = talk.hello(talk.arrival(.trainer, "u")).directives
        #expect(slow.contains(.open(RoundNumber(2), to: [first, second])))
    }

    @Test mutating func `one that never gets its download is waited for less and less often`() {
        talk = Conversation { $0.leadBatches = 1 }
        rollout = talk.join(.rollout, "a")
        let first = talk.join(.trainer, "t")
        _ = talk.produces(rollout, 0)
        _ = talk.join(.trainer, "u")
        var waits: [UInt64] = []
        for round in 1...45 as ClosedRange<UInt64> {
            _ = talk.consumes(first, round - 1)
            _ = talk.offers(first, samples: 4)
            _ = talk.happens(.stored(version(round)))
            let opening = talk.hello(talk.arrival(.trainer, "t")).directives
            if !opening.contains(.open(RoundNumber(round + 1), to: [first])) {
                waits.append(round)
                _ = talk.wait(60)
            }
            #expect(talk.coordinator.round.members == [first])
            _ = talk.produces(rollout, round)
        }
        #expect(waits == [1, 3, 6, 11, 20, 37])
    }

    @Test mutating func `one that is late once, and always a download behind, is in a round soon`() {
        talk = Conversation { $0.leadBatches = 1 }
        rollout = talk.join(.rollout, "a")
        let first = talk.join(.trainer, "t")
        _ = talk.produces(rollout, 0)
        let second = talk.join(.trainer, "u")
        for round in 1...3 as ClosedRange<UInt64> {
            _ = talk.consumes(first, round - 1)
            _ = talk.offers(first, samples: 4)
            let late = talk.arrival(.trainer, "u")
            _ = talk.happens(.stored(version(round)))
            // The first has the committed parameters already, as they are its own.
            _ = talk.hello(talk.arrival(.trainer, "t"))
            if round == 1 { _ = talk.wait(60) }
            // The second comes with those before.
            if round < 3 { _ = talk.hello(late) }
            _ = talk.produces(rollout, round)
        }
        #expect(talk.coordinator.round.members == [], "it is waited for")
        _ = talk.hello(talk.arrival(.trainer, "u"))
        #expect(talk.coordinator.round.members == [first, second])
    }
}
