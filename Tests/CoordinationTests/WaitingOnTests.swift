import ClusterMessages
import Testing

@testable import Coordination

/// Everything that does not progress says why.
@Suite struct WaitingOnTests {
    var talk = Conversation { $0.trainersAtStart = 2 }

    var reasons: [String] { talk.coordinator.waitingOn(now: talk.now) }

    @Test func `an empty cluster waits for people to start nodes`() {
        #expect(reasons == ["round 1 waits for a trainer to join", "no rollout worker is here"])
    }

    @Test mutating func `a beginning says how many trainers are ready`() {
        _ = talk.join(.rollout, "a")
        _ = talk.join(.trainer, "t")
        #expect(reasons == ["round 1 waits for 2 ready trainers, 1 so far"])
    }

    @Test mutating func `an open round says how far each member is`() {
        let rollout = talk.join(.rollout, "a", credit: 9)
        let trainers = [talk.join(.trainer, "t"), talk.join(.trainer, "u")]
        _ = talk.produces(rollout, 0)
        #expect(
            reasons == [
                "round 1 waits for t (training, 0 samples so far)",
                "round 1 waits for u (it has no trajectory, 0 samples so far)",
                "batch 1 is being made by a, for 0 s",
            ]
        )
        _ = talk.consumes(trainers[0], 0)
        _ = talk.happens(.offer(talk.start(trainers[0], samples: 4), from: trainers[0]))
        let hash = testHash(9, UInt64(trainers[0].rawValue))
        _ = talk.happens(.offer(.progressed(hash, received: 40, of: 100), from: trainers[0]))
        #expect(reasons.first == "round 1 waits for t (offer 40% received)")
        _ = talk.happens(.offer(.complete(hash), from: trainers[0]))
        #expect(reasons.count == 2 && reasons.last == "batch 1 is being made by a, for 0 s")
    }

    @Test mutating func `an offer that disagrees with the ledger is named`() {
        _ = talk.join(.rollout, "a", credit: 9)
        let trainer = talk.join(.trainer, "t")
        _ = talk.join(.trainer, "u")
        _ = talk.offers(trainer, samples: 8)
        #expect(reasons.first == "round 1 waits for t (it offers 8 samples, the ledger counts 0)")
    }

    @Test mutating func `a trajectory larger than every window is named`() {
        let rollout = talk.join(.rollout, "a", credit: 1)
        _ = talk.join(.trainer, "t")
        _ = talk.join(.trainer, "u")
        _ = talk.produces(rollout, 0, byteCount: 5000)
        #expect(reasons.contains("batch 0 has 5000 bytes, more than any trainer's window"))
    }

    @Test mutating func `trajectories that trainers have no room for yet say so`() {
        let rollout = talk.join(.rollout, "a", credit: 9)
        for name in ["t", "u"] { _ = talk.join(.trainer, name, credit: 1) }
        for batch in 0..<3 as Range<UInt64> { _ = talk.produces(rollout, batch) }
        #expect(reasons.contains("1 batch of trajectories waits until a trainer has room"), "\(reasons)")
    }

    @Test mutating func `a round between its members' loading and its opening names the slow one`() {
        talk = Conversation { $0.leadBatches = 1 }
        let rollout = talk.join(.rollout, "a")
        let trainer = talk.join(.trainer, "t")
        _ = talk.produces(rollout, 0)
        _ = talk.consumes(trainer, 0)
        _ = talk.offers(trainer, samples: 4)
        #expect(reasons.first == "round 1 is being averaged and stored")
        _ = talk.happens(.stored(version(1)))
        #expect(reasons.first == "round 2 waits for t to load the parameters of round 1")
    }

    @Test mutating func `a node that is late says how late, and when it is given up`() {
        let rollout = talk.join(.rollout, "a")
        _ = talk.join(.trainer, "t")
        _ = talk.wait(4, silent: [rollout])
        #expect(reasons.contains("a is silent for 4 s, dead in 6 s"), "\(reasons)")
    }

    @Test mutating func `rollouts that leave, and those that are full, are no help and say so`() {
        let rollout = talk.join(.rollout, "a")
        let trainers = [talk.join(.trainer, "t"), talk.join(.trainer, "u")]
        for batch in 0..<2 as Range<UInt64> { _ = talk.produces(rollout, batch) }
        _ = talk.says(rollout, .credit(CreditWindow(batches: 2, byteCount: 200)))
        for batch in 2..<4 as Range<UInt64> { _ = talk.produces(rollout, batch) }
        let full = "a has no room: it keeps what it made until a round commits it"
        #expect(reasons.contains(full), "\(reasons)")
        _ = talk.says(rollout, .credit(CreditWindow(batches: 0, byteCount: 200)))
        for batch in 0..<2 as Range<UInt64> {
            guard case .assigned(let owner) = talk.stage(batch) else { continue }
            _ = talk.consumes(owner, batch)
        }
        #expect(reasons.contains("every rollout worker is about to leave, or in quarantine"), "\(reasons)")
        #expect(trainers.count == 2)
    }

    @Test mutating func `a lost quorum says when the round opens anew`() {
        talk = Conversation {
            $0.trainersAtStart = 2
            $0.quorum = 1
        }
        _ = talk.join(.rollout, "a")
        let trainers = [talk.join(.trainer, "t"), talk.join(.trainer, "u")]
        _ = talk.wait(10, silent: [trainers[1]])
        #expect(reasons.first == "round 1 lacks a quorum of 2, opens anew in 60 s")
    }
}
