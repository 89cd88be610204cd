import ClusterMessages
import Testing

@testable import Coordination

/// No batch is made that no round can use.
@Suite struct DemandTests {
    var talk = Conversation()

    private mutating func begin(rounds: UInt64, _ adjust: (inout CoordinationSettings) -> Void = { _ in }) {
        talk = Conversation {
            $0.rounds = rounds
            $0.batchesPerRound = 2
            $0.leadBatches = 20
            $0.trainerLimit = CreditWindow(batches: 9, byteCount: 1 << 20)
            adjust(&$0)
        }
    }

    @Test mutating func `rollouts make what all rounds of all trainers need, and no more`() {
        begin(rounds: 3)
        let rollout = talk.join(.rollout, "a", credit: 64)
        #expect(talk.census.leased == 6, "one trainer is expected")
        _ = talk.join(.trainer, "t", credit: 9)
        #expect(talk.census.leased == 6)
        _ = talk.join(.trainer, "u", credit: 9)
        #expect(talk.census.leased == 10, "the second one joins in round 2")
        for batch in 0..<10 as Range<UInt64> { _ = talk.produces(rollout, batch) }
        #expect(talk.coordinator.ledger.issued == 10)
    }

    @Test mutating func `a trainer is assigned no more than it can use, so that others get theirs`() {
        begin(rounds: 1) { $0.trainersAtStart = 2 }
        let rollout = talk.join(.rollout, "a", credit: 64)
        let trainers = ["t", "u"].map { talk.join(.trainer, $0, credit: 9) }
        #expect(talk.census.leased == 4)
        for batch in 0..<4 as Range<UInt64> { _ = talk.produces(rollout, batch) }
        let survey = talk.coordinator.ledger.survey()
        #expect(trainers.map { survey.unused[$0] } == [2, 2])
    }

    @Test mutating func `what is lost in the last round is made again`() {
        begin(rounds: 1)
        let rollout = talk.join(.rollout, "a", credit: 64)
        _ = talk.join(.trainer, "t", credit: 0)
        #expect(talk.census.leased == 2)
        for batch in 0..<2 as Range<UInt64> { _ = talk.produces(rollout, batch) }
        #expect(talk.census == Census(produced: 2))
        let other = talk.join(.rollout, "b", credit: 64)
        _ = talk.wait(10, silent: [rollout])
        let makers = (0..<talk.coordinator.ledger.issued).compactMap {
            talk.coordinator.ledger[BatchID($0)]?.leases.first?.node
        }
        #expect(makers.count >= 2 && makers.allSatisfy { $0 == other })
    }

    @Test mutating func `a trainer that has offered needs nothing for this round any more`() {
        begin(rounds: 1) { $0.trainersAtStart = 2 }
        let rollout = talk.join(.rollout, "a", credit: 64)
        let trainer = talk.join(.trainer, "t", credit: 9)
        let other = talk.join(.trainer, "u", credit: 9)
        for batch in 0..<4 as Range<UInt64> { _ = talk.produces(rollout, batch) }
        let own = (0..<4 as Range<UInt64>).filter { talk.stage($0) == .assigned(to: trainer) }
        for batch in own { _ = talk.consumes(trainer, batch) }
        _ = talk.offers(trainer, samples: 8)
        let survey = talk.coordinator.ledger.survey()
        #expect(talk.coordinator.demand(of: trainer, survey) == 0)
        #expect(talk.coordinator.demand(of: other, survey) == 2)
        #expect(!talk.coordinator.needsBatches(survey))
    }

    @Test mutating func `a run that drains makes nothing for rounds to come`() {
        begin(rounds: 100)
        _ = talk.join(.rollout, "a", credit: 4)
        let trainer = talk.join(.trainer, "t", credit: 0)
        #expect(talk.coordinator.demand(of: trainer, talk.coordinator.ledger.survey()) == 200)
        _ = talk.happens(.command(.drain))
        #expect(talk.coordinator.demand(of: trainer, talk.coordinator.ledger.survey()) == 2)
    }

    @Test mutating func `without knowing what a round needs, the lead alone is the limit`() {
        begin(rounds: 1) { $0.batchesPerRound = nil }
        _ = talk.join(.rollout, "a", credit: 64)
        #expect(talk.census.leased == 20)
    }
}
