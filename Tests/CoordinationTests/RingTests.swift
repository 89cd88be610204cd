import ClusterMessages
import Testing

@testable import Coordination

/// Rounds whose members average among themselves, and every way in which that comes to nothing.
@Suite struct RingTests {
    var talk = Conversation()
    let one = RoundNumber(1)

    /// Trainers of round 1 that have used a batch each, and said that their offers are ready.
    mutating func offer(_ names: String...) -> [NodeID] {
        talk = Conversation {
            $0.topology = .ring
            $0.trainersAtStart = names.count
            $0.leadBatches = names.count
            $0.rounds = 2
        }
        let rollout = talk.join(.rollout, "rollout", credit: names.count)
        let trainers = names.map { talk.join(.trainer, $0, credit: 1) }
        for batch in names.indices { _ = talk.produces(rollout, UInt64(batch)) }
        for (batch, trainer) in trainers.enumerated() { _ = talk.consumes(trainer, UInt64(batch)) }
        for trainer in trainers.dropLast() {
            #expect(start(trainer) == [.holdOffer(one, from: trainer)])
        }
        return trainers
    }

    mutating func start(_ trainer: NodeID) -> [Directive] {
        talk.happens(.offer(talk.start(trainer, samples: 4), from: trainer))
    }

    /// The ring that the last offer begins.
    mutating func ring(_ trainers: [NodeID]) throws -> AveragingRing {
        let last = try #require(trainers.last)
        let directives = start(last)
        guard case .ring(let ring, let members)? = directives.last else {
            Issue.record("no ring in \(directives)")
            throw Nothing()
        }
        #expect(directives.first == .holdOffer(one, from: last))
        #expect(members == trainers)
        return ring
    }

    struct Nothing: Error {}

    func share(_ place: Int, squares: [Double] = [1, 1, 1]) -> RingShare {
        RingShare(hash: testHash(3, UInt64(place)), byteCount: 100, squares: squares)
    }

    /// All members send their shares; what the last one leads to.
    mutating func complete(_ ring: AveragingRing, squares: [Double] = [1, 1, 1]) -> [Directive] {
        ring.members.enumerated().reduce([]) { _, member in
            talk.says(member.element, .shared(share(member.offset, squares: squares), ring: ring.number))
        }
    }

    @Test mutating func `offers stay with their trainers, and the shares of their mean are stored`() throws {
        let trainers = offer("t", "u", "v")
        let ring = try ring(trainers)
        #expect(ring.plan.contributions.map(\.node) == trainers)
        #expect(ring.plan.contributions.map(\.samples) == [4, 4, 4])
        let plan = try #require(complete(ring).plan)
        #expect(plan.contributions == ring.plan.contributions)
        #expect(plan.shares == [share(0), share(1), share(2)])
        let version = ParameterVersion(round: one, hash: testHash(4, 1))
        #expect(talk.happens(.stored(version)).contains(.announce(version, excluded: [])))
    }

    @Test mutating func `a member that says hello again is asked for its share again`() throws {
        let trainers = offer("t", "u")
        let ring = try ring(trainers)
        let (node, directives) = talk.hello(talk.arrival(.trainer, "u"))
        #expect(node == trainers[1])
        #expect(directives.contains(.ring(ring, to: [node])))
        _ = talk.says(node, .shared(share(1, squares: [1, 1]), ring: ring.number))
        #expect(!talk.hello(talk.arrival(.trainer, "u")).directives.contains(.ring(ring, to: [node])))
    }

    /// What may happen to a ring of three.
    enum Mishap: CaseIterable {
        case memberDies, memberRestarts, memberLeaves, memberFails, outlier, otherMeasures, idleness
    }

    @Test(arguments: Mishap.allCases)
    mutating func `a ring that comes to nothing leaves its round to the coordinator`(mishap: Mishap) throws {
        let trainers = offer("t", "u", "v")
        let ring = try ring(trainers)
        var left = trainers
        let directives: [Directive]
        switch mishap {
        case .memberDies:
            left.removeLast()
            directives = talk.wait(12, silent: [trainers[2]])
        case .memberRestarts:
            // A second process is believed to be the same node's when the first has been silent for a while.
            _ = talk.pass(.seconds(3), silent: [trainers[2]])
            directives = talk.hello(talk.arrival(.trainer, "v", process: 2)).directives
        case .memberLeaves:
            left.removeLast()
            directives = talk.says(trainers[2], .goodbye("test"))
        case .memberFails: directives = talk.says(trainers[0], .ringFailed(ring.number, "it is silent"))
        case .outlier: directives = complete(ring, squares: [1, 1, 1e6])
        case .otherMeasures:
            _ = talk.says(trainers[0], .shared(share(0), ring: ring.number))
            _ = talk.says(trainers[1], .shared(share(1), ring: ring.number))
            directives = talk.says(trainers[2], .shared(share(2, squares: [1, 1]), ring: ring.number))
        case .idleness: directives = talk.wait(601)
        }
        #expect(directives.contains(.open(one, to: left)), "\(directives)")
        #expect(directives.plan == nil)
        #expect(talk.coordinator.round.phase == .open)
        // What the ring still says changes nothing, and the offers are uploaded.
        if mishap == .memberRestarts { left.removeLast() }
        for trainer in left {
            #expect(talk.says(trainer, .shared(share(0), ring: ring.number)).isEmpty)
        }
        var last: [Directive] = []
        for trainer in left {
            #expect(start(trainer) == [.acceptOffer(one, from: trainer)])
            last = talk.happens(
                .offer(.complete(testHash(9, UInt64(trainer.rawValue)), distances: [1]), from: trainer)
            )
        }
        if mishap == .memberRestarts { last = talk.wait(61) }
        let plan = try #require(last.plan)
        #expect(plan.contributions.map(\.node) == left)
        #expect(plan.shares.isEmpty)
    }

    @Test mutating func `shares that are lost before they are stored leave the round to the coordinator`()
        throws
    {
        let trainers = offer("t", "u", "v")
        let plan = try #require(complete(try ring(trainers)).plan)
        // It dies when its share may be here already: that alone changes nothing.
        #expect(talk.says(trainers[2], .goodbye("test")).isEmpty)
        #expect(
            talk.happens(.sharesLost(one, "no answer")).contains(.open(one, to: [trainers[0], trainers[1]]))
        )
        for trainer in trainers.dropLast() { #expect(start(trainer) == [.acceptOffer(one, from: trainer)]) }
        #expect(talk.coordinator.round.offers[trainers[2]] == nil)
        #expect(talk.stage(2) != .consumed(by: trainers[2]), "its batch is somebody else's now")
        #expect(plan.contributions.count == 3)
    }

    @Test mutating func `who restarts while the mean is stored begins anew when it cannot be`() throws {
        let trainers = offer("t", "u")
        _ = try #require(complete(try ring(trainers), squares: [1, 1]).plan)
        _ = talk.pass(.seconds(3), silent: [trainers[1]])
        let (node, directives) = talk.hello(talk.arrival(.trainer, "u", process: 2))
        #expect(node == trainers[1])
        #expect(!directives.contains(.open(one, to: [node])))
        #expect(talk.happens(.storeFailed(one, "disk full")).contains(.open(one, to: [node])))
        #expect(talk.coordinator.round.offers[node] == nil)
    }

    @Test mutating func `a trainer alone uploads its offer`() {
        let trainers = offer("t")
        let directives = start(trainers[0])
        #expect(directives == [.holdOffer(one, from: trainers[0]), .open(one, to: trainers)])
        #expect(start(trainers[0]) == [.acceptOffer(one, from: trainers[0])])
    }
}
