import ClusterMessages
import Testing

@testable import Coordination

/// How a round goes from its opening to its commit, and everything that can happen on the way.
@Suite struct CoordinatorRoundTests {
    var talk = Conversation()
    let one = RoundNumber(1)

    /// A rollout and trainers that open round 1 together, each with one batch it has used.
    mutating func train(_ names: String...) -> [NodeID] {
        talk = Conversation {
            $0.trainersAtStart = names.count
            $0.leadBatches = names.count
            $0.rounds = 2
        }
        let rollout = talk.join(.rollout, "rollout", credit: names.count)
        let trainers = names.map { talk.join(.trainer, $0, credit: 1) }
        for batch in names.indices { _ = talk.produces(rollout, UInt64(batch)) }
        for (batch, trainer) in trainers.enumerated() { _ = talk.consumes(trainer, UInt64(batch)) }
        return trainers
    }

    @Test mutating func `a round opens with the trainers that have the parameters`() {
        let (first, _) = talk.hello(talk.arrival(.trainer, "t"))
        #expect(talk.coordinator.round.members == [first])
        var old = talk.arrival(.trainer, "u")
        old.parameters = nil
        #expect(talk.hello(old).directives == [])
        #expect(talk.coordinator.round.members == [first], "who comes later waits for the next round")
    }

    @Test mutating func `a round is closed with the ledger's weights and committed when it is stored`() throws
    {
        let trainers = train("t", "u")
        #expect(talk.offers(trainers[0], samples: 4) == [.acceptOffer(one, from: trainers[0])])
        let plan = try #require(talk.offers(trainers[1], samples: 4).plan)
        #expect(plan.contributions.map(\.node) == trainers)
        #expect(plan.contributions.map(\.samples) == [4, 4])
        #expect(plan.excluded == [])
        #expect(plan.uses.map(\.batch) == [BatchID(0), BatchID(1)])
        #expect(plan.issued == talk.coordinator.ledger.issued)
        #expect(talk.census.committed == 0, "nothing is committed before it is on the disk")

        let committed = talk.happens(.stored(version(1)))
        #expect(committed.contains(.announce(version(1), excluded: [])))
        #expect(committed.contains(.release(BatchID(0), trajectoryHash(BatchID(0)), at: NodeID(1))))
        #expect(talk.census.committed == 2)
        #expect(talk.coordinator.parameters == version(1))
        #expect(talk.happens(.stored(version(1))) == [], "once")
    }

    @Test
    mutating func `the next round opens when the members have loaded, and the last one finishes the run`() {
        let trainers = train("t", "u")
        for trainer in trainers { _ = talk.offers(trainer, samples: 4) }
        _ = talk.happens(.stored(version(1)))
        #expect(talk.says(trainers[0], .loaded(version(1))) == [])
        let opened = talk.says(trainers[1], .loaded(version(1)))
        #expect(opened.contains(.open(RoundNumber(2), to: trainers)))
        _ = talk.produces(NodeID(1), 2)
        _ = talk.produces(NodeID(1), 3)
        _ = talk.consumes(trainers[0], 2)
        _ = talk.consumes(trainers[1], 3)
        for trainer in trainers { _ = talk.offers(trainer, samples: 4) }
        #expect(talk.happens(.stored(version(2))).last == .finish)
        #expect(talk.coordinator.isFinished)
        #expect(talk.hello(talk.arrival(.rollout, "late")).directives == [.finish])
    }

    @Test mutating func `a person's checkpoint ends the open round with the steps in hand`() throws {
        let trainers = train("t", "u")
        #expect(talk.happens(.command(.checkpoint)) == [.cut(one, to: trainers)])
        #expect(talk.happens(.command(.checkpoint)) == [], "once")
        #expect(talk.coordinator.waitingOn(now: talk.now).contains { $0.contains("ends early") })
        let back = talk.hello(talk.arrival(.trainer, "t")).directives
        #expect(back.contains(.cut(one, to: [trainers[0]])), "who comes back hears it again")
        for trainer in trainers { _ = talk.offers(trainer, samples: 4) }
        #expect(talk.happens(.stored(version(1))).contains(.announce(version(1), excluded: [])))
        #expect(!talk.coordinator.round.isCut, "the next round has all its steps")
    }

    @Test mutating func `a checkpoint of a paused run and the drain of a node that is not here are refused`()
    {
        let trainers = train("t")
        #expect(talk.coordinator.objection(to: .checkpoint) == nil)
        #expect(talk.coordinator.objection(to: .drainNode(trainers[0])) == nil)
        #expect(talk.coordinator.objection(to: .drainNode(NodeID(77)))?.code == .notFound)
        _ = talk.happens(.command(.pause))
        #expect(talk.coordinator.objection(to: .checkpoint)?.code == .paused)
    }

    @Test mutating func `an offer that overtakes its uses waits for them`() {
        let trainers = train("t")
        #expect(talk.offers(trainers[0], samples: 8) == [.acceptOffer(one, from: trainers[0])])
        _ = talk.produces(NodeID(1), 1)
        #expect(talk.consumes(trainers[0], 1).plan?.contributions.map(\.samples) == [8])
    }

    @Test mutating func `a late member is excluded, and its batch goes back to the pool`() {
        let trainers = train("t", "u")
        _ = talk.offers(trainers[0], samples: 4)
        let plan = talk.wait(60).plan
        #expect(plan?.contributions.map(\.node) == [trainers[0]])
        #expect(plan?.excluded == [trainers[1]])
        let late = talk.happens(.offer(talk.start(trainers[1], samples: 4), from: trainers[1]))
        #expect(late == [.refuseOffer(one, from: trainers[1], .expired, "round 1 is not open")])
        #expect(talk.consumes(trainers[1], 2) == [], "a use of a closing round changes nothing")
        #expect(talk.happens(.stored(version(1))).contains(.announce(version(1), excluded: [trainers[1]])))
        #expect(talk.coordinator.ledger[BatchID(0)] == nil)
        #expect(talk.coordinator.ledger[BatchID(1)]?.uses == 0)
        #expect(talk.census.committed == 1)
    }

    @Test mutating func `a lost trainer's batches go to the others`() {
        let trainers = train("t", "u")
        let directives = talk.wait(10, silent: [trainers[1]])
        #expect(directives.assignments == [BatchID(1): trainers[0]])
    }

    @Test mutating func `a trainer that dies after its offer is complete is still in the average`() {
        let trainers = train("t", "u")
        _ = talk.offers(trainers[1], samples: 4)
        _ = talk.wait(10, silent: [trainers[1]])
        #expect(talk.stage(1) == .consumed(by: trainers[1]))
        #expect(talk.offers(trainers[0], samples: 4).plan?.contributions.map(\.node) == trainers)
    }

    @Test mutating func `a trainer that was only out of reach goes on where it was`() {
        let trainers = train("t", "u")
        _ = talk.wait(10, silent: [trainers[1]])
        let (same, directives) = talk.hello(talk.arrival(.trainer, "u"))
        #expect(same == trainers[1])
        #expect(directives == [.open(one, to: [trainers[1]])])
    }

    @Test mutating func `a use of a batch that another has by now voids the trainer's steps of this round`() {
        let trainers = train("t", "u")
        _ = talk.wait(10, silent: [trainers[1]])
        _ = talk.hello(talk.arrival(.trainer, "u"))
        let reason = "batch 1 belongs to trainer \(trainers[0])"
        #expect(talk.consumes(trainers[1], 1) == [.abort(one, at: trainers[1], reason: reason)])
        let refused = talk.says(trainers[1], .ping(progress: 5))
        guard case .refuse(_, .staleEpoch, _) = refused.first else {
            Issue.record("a voided trainer was heard before its hello: \(refused)")
            return
        }
        #expect(talk.hello(talk.arrival(.trainer, "u")).directives.contains(.open(one, to: [trainers[1]])))
    }

    @Test mutating func `an offer of steps that were thrown away is not taken for one of those that count`() {
        let trainers = train("t", "u")
        let stale = talk.start(trainers[1], samples: 4)
        _ = talk.happens(.violated(trainers[1], Incarnation(1 << 8 | 0x75), "test"))
        _ = talk.hello(talk.arrival(.trainer, "u"))
        let answer = talk.happens(.offer(stale, from: trainers[1]))
        #expect(answer == [.refuseOffer(one, from: trainers[1], .staleEpoch, "say hello first")])
    }

    @Test mutating func `a refused offer starts its trainer's round anew, and too many turn it away`() {
        let trainers = train("t", "u")
        let arrival = talk.arrival(.trainer, "u")
        for strike in 1...3 {
            _ = talk.happens(.offer(talk.start(trainers[1], samples: 4), from: trainers[1]))
            let hash = testHash(9, UInt64(trainers[1].rawValue))
            let directives = talk.happens(.offer(.rejected(hash, .nonFinite, "NaN"), from: trainers[1]))
            #expect(directives.contains { if case .abort = $0 { true } else { false } }, "strike \(strike)")
            #expect((talk.hello(arrival).node == trainers[1]) == (strike < 3))
        }
        #expect(talk.hello(talk.arrival(.trainer, "u", process: 2)).node == trainers[1])
    }

    @Test mutating func `an offer found unusable while averaging is left out of the next plan`() {
        let trainers = train("t", "u")
        for trainer in trainers { _ = talk.offers(trainer, samples: 4) }
        let hash = testHash(9, UInt64(trainers[1].rawValue))
        let directives = talk.happens(.offer(.rejected(hash, .nonFinite, "NaN"), from: trainers[1]))
        #expect(directives.plan?.contributions.map(\.node) == [trainers[0]])
        #expect(directives.plan?.uses.map(\.batch) == [BatchID(0)])
    }

    @Test mutating func `a plan that could not be stored is tried again`() {
        let trainers = train("t")
        let plan = talk.offers(trainers[0], samples: 4).plan
        #expect(talk.happens(.storeFailed(one, "disk full")).plan == nil)
        #expect(talk.coordinator.waitingOn(now: talk.now).contains { $0.contains("disk full") })
        #expect(talk.wait(5).plan == plan)
    }

    @Test mutating func `a drained run commits the open round and finishes`() {
        let trainers = train("t")
        #expect(talk.happens(.command(.drain)) == [])
        _ = talk.offers(trainers[0], samples: 4)
        #expect(talk.happens(.stored(version(1))).last == .finish)
    }

    @Test mutating func `a run without an open round is drained at once`() {
        #expect(talk.happens(.command(.drain)) == [.finish])
    }

    @Test mutating func `the grace stands still while the run is paused`() {
        let trainers = train("t", "u")
        _ = talk.offers(trainers[0], samples: 4)
        _ = talk.happens(.command(.pause))
        #expect(talk.wait(100).plan == nil)
        #expect(talk.happens(.command(.resume)).plan == nil)
        #expect(talk.wait(59).plan == nil)
        #expect(talk.wait(1).plan != nil)
    }
}
