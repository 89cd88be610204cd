import ClusterMessages
import Testing

@testable import Coordination

@Suite struct AveragingRoundTests {
    let a = NodeID(1)
    let b = NodeID(2)
    let c = NodeID(3)
    var round = Self.round(1)
    var view = AveragingRound.View(present: [], ready: [], stuck: [], samples: [:])

    static func round(
        _ number: UInt64,
        awaiting: [NodeID] = [],
        _ adjust: (inout CoordinationSettings) -> Void = { _ in }
    ) -> AveragingRound {
        var settings = CoordinationSettings()
        adjust(&settings)
        return AveragingRound(RoundNumber(number), awaiting: awaiting, settings: settings, now: .zero)
    }

    mutating func decide(_ moment: Double = 0) -> AveragingRound.Decision? {
        round.decide(view, now: seconds(moment))
    }

    mutating func open(_ nodes: NodeID...) {
        view.present = Set(nodes)
        view.ready = nodes
        #expect(decide() == .open(nodes))
    }

    mutating func announce(_ node: NodeID, samples: Int = 8, hash: UInt64 = 0, base: UInt64 = 0) -> ErrorCode?
    {
        let hash = testHash(9, UInt64(node.rawValue) + hash)
        return round.announce(round.number, base: RoundNumber(base), samples: samples, hash, by: node)?.0
    }

    /// A complete offer that agrees with the ledger.
    mutating func offer(_ node: NodeID, at moment: Double = 0, distances: [Double] = []) {
        view.samples[node] = 8
        #expect(announce(node) == nil)
        round.complete(node, distances: distances, now: seconds(moment))
    }

    @Test mutating func `it opens with those that are ready, in order of number`() {
        view.present = [a, b, c]
        #expect(decide() == nil)
        view.ready = [c, a]
        #expect(decide() == .open([a, c]))
        #expect(decide() == nil)
    }

    @Test mutating func `the first round waits for the trainers at the start, a later one does not`() {
        for (number, opens) in [(1, false), (2, true)] as [(UInt64, Bool)] {
            round = Self.round(number) { $0.trainersAtStart = 2 }
            view.present = [a]
            view.ready = [a]
            #expect((decide() != nil) == opens)
        }
    }

    @Test mutating func `it waits a grace for the last round's members to load, unless they are gone`() {
        round = Self.round(2, awaiting: [a, b])
        view.present = [a, b]
        view.ready = [a]
        #expect(decide(59) == nil)
        #expect(decide(60) == .open([a]))
        round = Self.round(2, awaiting: [a, b])
        view.present = [a]
        #expect(decide(1) == .open([a]))
    }

    @Test mutating func `it closes at once when every present member has offered`() {
        open(a, b, c)
        offer(a)
        offer(b)
        #expect(decide(1) == nil)
        view.present = [a, b]
        #expect(decide(2) == .close([a, b]))
    }

    @Test mutating func `with a quorum it waits for the others until the grace is over`() {
        open(a, b, c)
        offer(a)
        #expect(decide(1) == nil)
        offer(b)
        #expect(decide(10) == nil)
        #expect(decide(69.9) == nil)
        #expect(decide(70) == .close([a, b]))
    }

    @Test(arguments: [(0.0, 1), (0.5, 2), (0.6, 2), (0.67, 3), (1, 3)])
    mutating func `no fewer offers than the quorum close it`(quorum: Double, required: Int) {
        round = Self.round(1) { $0.quorum = quorum }
        open(a, b, c)
        #expect(round.required == required)
        for (index, node) in [a, b, c].enumerated() {
            offer(node)
            _ = decide(0)
            #expect((decide(1000) != nil) == (index + 1 >= required))
        }
    }

    @Test mutating func `an offer counts only when it claims what the ledger counted`() {
        open(a)
        offer(a)
        view.samples[a] = 4
        #expect(decide(1) == nil)
        view.samples[a] = 8
        #expect(decide(2) == .close([a]))
    }

    @Test mutating func `an offer that never agrees with the ledger is void after the grace`() {
        open(a)
        offer(a)
        view.samples[a] = 4
        #expect(decide(59) == nil)
        #expect(decide(60) == .void(a, "its offer claims 8 samples, the ledger counts 4"))
    }

    @Test mutating func `a member that has work and makes no progress is void`() {
        open(a, b)
        view.stuck = [b]
        #expect(decide(1) == .void(b, "it has work and made no progress"))
    }

    @Test mutating func `a complete offer outlives its trainer`() {
        open(a, b)
        offer(a)
        view.present = [b]
        view.ready = [b]
        #expect(decide(1) == nil)
        offer(b, at: 2)
        #expect(decide(2) == .close([a, b]))
    }

    @Test
    mutating func `with too few members left it waits a grace, then opens anew with those that are ready`() {
        round = Self.round(1) { $0.quorum = 1 }
        open(a, b)
        offer(a)
        view.present = [a, c]
        view.ready = [a, c]
        #expect(decide(1) == nil)
        #expect(round.reopensAt == seconds(61))
        #expect(decide(61) == .open([a, c]))
        offer(c, at: 70)
        #expect(decide(70) == .close([a, c]))
    }

    @Test mutating func `members that return in time are waited for again`() {
        round = Self.round(1) { $0.quorum = 1 }
        open(a, b)
        view.present = [a]
        #expect(decide(1) == nil)
        view.present = [a, b]
        #expect(decide(2) == nil)
        #expect(round.reopensAt == nil)
    }

    @Test mutating func `with no member left it opens at once with whoever is ready`() {
        open(a)
        view.present = [b]
        view.ready = [b]
        #expect(decide(1) == .open([b]))
    }

    @Test mutating func `a trainer with work of this round becomes a member`() {
        open(a)
        round.admit(b)
        round.admit(b)
        #expect(round.members == [a, b])
    }

    @Test mutating func `an offer is refused from another base, from no member, before and after`() {
        #expect(announce(a) == .expired, "not open yet")
        open(a)
        #expect(announce(a, base: 1) == .badBase)
        #expect(announce(b) == .expired, "no member")
        #expect(announce(a, samples: 0) == .badBase)
        #expect(announce(a) == nil)
        let plan = RoundPlan(round: round.number, contributions: [], excluded: [], uses: [], issued: 0)
        round.close(plan)
        #expect(announce(a) == .expired, "closing")
    }

    @Test mutating func `an offer may be announced again, changed while it is on its way, and not after`() {
        open(a)
        #expect(announce(a) == nil)
        #expect(announce(a, hash: 1) == nil)
        round.complete(a, now: .zero)
        #expect(announce(a, hash: 1) == nil)
        #expect(announce(a, hash: 2) == .badBase)
    }

    @Test mutating func `a plan that could not be stored is closed again after a while`() {
        open(a)
        offer(a)
        #expect(decide(1) == .close([a]))
        round.failed("disk full", now: seconds(2))
        #expect(decide(6) == nil)
        #expect(decide(7) == .close([a]))
    }

    @Test mutating func `time in which the coordinator stood still does not count`() {
        open(a, b)
        offer(a)
        #expect(decide(0) == nil)
        round.postpone(by: .seconds(100))
        #expect(decide(159) == nil)
        #expect(decide(160) == .close([a]))
    }
}
