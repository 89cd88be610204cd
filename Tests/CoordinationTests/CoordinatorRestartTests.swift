import ClusterMessages
import Testing

@testable import Coordination

/// How a new coordinator takes over from a dead one.
@Suite struct CoordinatorRestartTests {
    /// Round 1 is committed with batches 0 and 1; batch 2 is dead, batch 3 was issued.
    static let snapshot = RunSnapshot(
        generation: 1,
        nodes: [
            KnownNode(id: NodeID(1), identity: "a", role: .rollout, name: "a"),
            KnownNode(id: NodeID(2), identity: "t", role: .trainer, name: "t"),
        ],
        parameters: version(1),
        issued: 4,
        committed: [BatchID(0), BatchID(1)],
        dead: [BatchID(2)]
    )
    var talk = Conversation(Self.snapshot) { $0.leadBatches = 4 }

    func held(_ batch: UInt64) -> Arrival.HeldTrajectory {
        .init(batch: BatchID(batch), hash: trajectoryHash(BatchID(batch)), byteCount: 100)
    }

    @Test mutating func `it hands out nothing until nodes had time to report`() {
        #expect(talk.census == Census(pending: 1, committed: 2, dead: 1))
        let rollout = talk.join(.rollout, "a")
        #expect(rollout == NodeID(1))
        #expect(talk.wait(4).grants == [:])
        #expect(talk.coordinator.waitingOn(now: talk.now).first?.contains("restarted") == true)
        #expect(talk.wait(1).grants == [BatchID(3): rollout, BatchID(4): rollout])
    }

    @Test mutating func `with every node back it waits for one ping interval more`() {
        let rollout = talk.join(.rollout, "a")
        #expect(talk.wait(2).grants == [:])
        let (_, directives) = talk.hello(talk.arrival(.trainer, "t"))
        #expect(directives.grants == [:])
        #expect(talk.wait(1).grants == [BatchID(3): rollout, BatchID(4): rollout])
    }

    @Test mutating func `only what is new about a node is written down`() {
        func notes(_ arrival: Arrival) -> [KnownNode] {
            talk.coordinator.handle(.arrived(arrival), now: talk.now).compactMap {
                if case .remember(let node) = $0 { node } else { nil }
            }
        }
        #expect(notes(talk.arrival(.rollout, "a")) == [], "the ledger has it")
        _ = talk.wait(20)
        #expect(
            notes(talk.arrival(.rollout, "a", process: 2)) == [],
            "another process of a node is no other node"
        )
        let newcomer = KnownNode(id: NodeID(3), identity: "b", role: .rollout, name: "b")
        #expect(notes(talk.arrival(.rollout, "b")) == [newcomer])
        _ = talk.wait(20)
        var renamed = talk.arrival(.rollout, "b", process: 2)
        renamed.name = "c"
        #expect(notes(renamed).map(\.name) == ["c"])
    }

    @Test
    mutating func `leases and trajectories that nodes hold are adopted, even of batches it never heard of`() {
        var arrival = talk.arrival(.rollout, "a")
        arrival.trajectories = [held(1), held(5)]
        arrival.leases = [.init(batch: BatchID(3), fence: Fence(epoch: 2, attempt: 1))]
        let (rollout, directives) = talk.hello(arrival)
        #expect(directives == [.release(BatchID(1), trajectoryHash(BatchID(1)), at: rollout)])
        #expect(talk.coordinator.ledger[BatchID(3)]?.leases.first?.node == rollout)
        #expect(talk.stage(4) == .pending)
        #expect(talk.stage(5) == .produced)
        #expect(talk.coordinator.ledger.issued == 6)
    }

    @Test(arguments: [UInt64(4 + 4096), .max])
    mutating func `a batch far beyond the cursor is not believed`(batch: UInt64) {
        var arrival = talk.arrival(.rollout, "a")
        arrival.trajectories = [held(batch)]
        let (rollout, directives) = talk.hello(arrival)
        #expect(directives == [.release(BatchID(batch), trajectoryHash(BatchID(batch)), at: rollout)])
        #expect(talk.coordinator.ledger.issued == 4)
    }

    @Test mutating func `once work is handed out, unknown batches are not believed any more`() {
        _ = talk.wait(5)
        var arrival = talk.arrival(.rollout, "a")
        arrival.trajectories = [held(4)]
        let (rollout, directives) = talk.hello(arrival)
        #expect(directives.first == .release(BatchID(4), trajectoryHash(BatchID(4)), at: rollout))
    }

    @Test mutating func `a trainer in the middle of the round goes on: its uses, told again, count`() {
        let trainer = talk.join(.trainer, "t")
        #expect(talk.consumes(trainer, 3) == [])
        #expect(talk.consumes(trainer, 6) == [])
        #expect(talk.stage(6) == .consumed(by: trainer))
        #expect(talk.wait(5).contains(.open(RoundNumber(2), to: [trainer])))
        #expect(talk.offers(trainer, samples: 8).plan?.uses.map(\.batch) == [BatchID(3), BatchID(6)])
    }

    @Test mutating func `a trainer that comes back with work after the opening is a member again`() {
        let first = talk.join(.trainer, "t")
        _ = talk.wait(5)
        #expect(talk.coordinator.round.members == [first])
        let second = talk.join(.trainer, "u")
        #expect(talk.coordinator.round.members == [first])
        #expect(talk.consumes(second, 3) == [.open(RoundNumber(2), to: [second])])
        #expect(talk.coordinator.round.members == [first, second])
    }

    @Test mutating func `a trainer that missed the commit loads it and its older uses count no more`() {
        var arrival = talk.arrival(.trainer, "t")
        arrival.parameters = version(0)
        let (trainer, _) = talk.hello(arrival)
        let use = Consumption(
            batch: BatchID(3),
            hash: trajectoryHash(BatchID(3)),
            round: RoundNumber(1),
            samples: 4,
            use: 1
        )
        #expect(talk.says(trainer, .consumed(use)) == [])
        #expect(talk.stage(3) == .pending)
        _ = talk.wait(5)
        #expect(talk.says(trainer, .loaded(version(1))).contains(.open(RoundNumber(2), to: [trainer])))
    }

    @Test mutating func `a run that was complete is complete`() {
        talk = Conversation(Self.snapshot) { $0.rounds = 1 }
        #expect(talk.coordinator.isFinished)
        #expect(talk.hello(talk.arrival(.trainer, "t")).directives == [.finish])
    }
}
