import ClusterMessages
import Testing

@testable import Coordination

/// Offers out of line: which are, and what becomes of them and their samples.
@Suite struct OutlierTests {
    var talk = Conversation { $0.batchesPerRound = 1 }

    private func outliers(_ distances: [Double]...) -> [NodeID] {
        var settings = CoordinationSettings()
        settings.outlierFactor = 10
        var round = AveragingRound(RoundNumber(1), awaiting: [], settings: settings, now: .zero)
        let nodes = distances.indices.map { NodeID(UInt32($0 + 1)) }
        let view = AveragingRound.View(present: Set(nodes), ready: nodes, stuck: [], samples: [:])
        #expect(round.decide(view, now: .zero) == .open(nodes))
        for (node, distances) in zip(nodes, distances) {
            let hash = testHash(9, UInt64(node.rawValue))
            #expect(round.announce(RoundNumber(1), base: .initial, samples: 8, hash, by: node) == nil)
            round.complete(node, distances: distances, now: .zero)
        }
        return round.outliers(among: nodes).map(\.node)
    }

    @Test func `ten times the median is in line, more is not`() {
        #expect(outliers([1], [1], [10]) == [])
        #expect(outliers([1], [1], [10.1]) == [NodeID(3)])
        #expect(outliers([30], [1], [2], [1], [25]) == [NodeID(1), NodeID(5)])
    }

    @Test func `each segment is measured by itself`() {
        #expect(outliers([1, 100], [1, 100], [1, 2000]) == [NodeID(3)])
        #expect(outliers([1, 100], [90, 100], [1, 100]) == [NodeID(2)])
    }

    @Test func `two offers do not tell which is wrong, nor do offers that did not move`() {
        #expect(outliers([1], [1000]) == [])
        #expect(outliers([0], [0], [5]) == [])
        #expect(outliers([], [], []) == [])
    }

    @Test func `a distance that is no number is out of line among any`() {
        #expect(outliers([.nan]) == [NodeID(1)])
        #expect(outliers([1], [.infinity]) == [NodeID(2)])
    }

    /// Three trainers use a batch each and offer; the last one goes `distance` far.
    private mutating func round(_ distance: Double, quorum: Double) -> (plan: RoundPlan?, wild: NodeID) {
        talk = Conversation {
            $0.batchesPerRound = 1
            $0.trainersAtStart = 3
            $0.leadBatches = 3
            $0.quorum = quorum
            $0.offerStrikes = 2
        }
        let rollout = talk.join(.rollout, "a", credit: 3)
        let trainers = ["t", "u", "v"].map { talk.join(.trainer, $0, credit: 1) }
        for batch in 0..<3 as Range<UInt64> { _ = talk.produces(rollout, batch) }
        var directives: [Directive] = []
        for (trainer, batch) in zip(trainers, 0..<3 as Range<UInt64>) {
            _ = talk.consumes(trainer, batch)
            directives += talk.offers(trainer, samples: 4, distances: [trainer == trainers[2] ? distance : 1])
        }
        return (directives.plan, trainers[2])
    }

    @Test mutating func `an offer out of line is left out, and its samples return`() throws {
        let (plan, wild) = round(50, quorum: 0.5)
        let made = try #require(plan)
        #expect(made.contributions.map(\.samples) == [4, 4])
        #expect(made.excluded == [wild])
        #expect(made.outliers.map(\.node) == [wild])
        #expect(made.uses.map(\.batch) == [BatchID(0), BatchID(1)])
        _ = talk.happens(.stored(version(1)))
        #expect(talk.census.committed == 2)
        #expect(talk.stage(2) == .produced || talk.stage(2) == .assigned(to: wild))
        #expect(talk.coordinator.membership[wild]?.strikes == 1)
    }

    @Test mutating func `without it there is no quorum: its trainer begins the round anew`() {
        let (plan, wild) = round(50, quorum: 1)
        #expect(plan == nil)
        #expect(talk.coordinator.membership[wild]?.isPresent == false)
        #expect(talk.coordinator.membership[wild]?.strikes == 1)
        #expect(talk.coordinator.round.phase == .open)
        #expect(talk.coordinator.round.offers.count == 2)
    }

    @Test mutating func `offers in line are all included`() {
        #expect(round(9, quorum: 0.5).plan?.contributions.count == 3)
    }
}
