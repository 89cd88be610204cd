import ClusterMessages
import Testing

@testable import Coordination

/// A rollout that is about to leave takes no more leases and keeps what it made until trainers have it.
@Suite struct LeavingTests {
    var talk = Conversation()

    @Test mutating func `what trainers have begun to use is released, the rest when they do`() {
        let rollout = talk.join(.rollout, "a", credit: 2)
        let trainer = talk.join(.trainer, "t")
        for batch in 0..<2 as Range<UInt64> { _ = talk.produces(rollout, batch) }
        _ = talk.consumes(trainer, 0)
        let leaving = talk.says(rollout, .credit(CreditWindow(batches: 0, byteCount: 1000)))
        #expect(leaving == [.release(BatchID(0), trajectoryHash(BatchID(0)), at: rollout)])
        let used = talk.consumes(trainer, 1)
        #expect(used.contains(.release(BatchID(1), trajectoryHash(BatchID(1)), at: rollout)))
        #expect(used.grants.isEmpty && talk.census.leased == 2, "what was leased before is finished")
        _ = talk.says(rollout, .goodbye("done"))
        #expect(talk.census.consumed == 2, "the trainer has their bytes")
        #expect(talk.offers(trainer, samples: 8).plan?.uses.map(\.batch) == [BatchID(0), BatchID(1)])
    }

    @Test mutating func `one that stays keeps what is used until it is committed`() {
        let rollout = talk.join(.rollout, "a")
        let trainer = talk.join(.trainer, "t")
        _ = talk.produces(rollout, 0)
        let used = talk.consumes(trainer, 0)
        #expect(!used.contains { if case .release = $0 { true } else { false } })
    }

    @Test mutating func `a used batch whose holder left is made again when its trainer is lost`() {
        let rollout = talk.join(.rollout, "a")
        let trainer = talk.join(.trainer, "t")
        _ = talk.produces(rollout, 0)
        _ = talk.consumes(trainer, 0)
        _ = talk.says(rollout, .credit(CreditWindow(batches: 0, byteCount: 1000)))
        _ = talk.says(rollout, .goodbye("done"))
        _ = talk.says(trainer, .goodbye("gone"))
        #expect(talk.stage(0) == .pending)
    }

    @Test(arguments: [Role.rollout, .trainer])
    mutating func `who missed that it is to leave hears it after its next hello`(role: Role) {
        let node = talk.join(role, "a")
        #expect(talk.happens(.command(.drainNode(node))) == [.drain(node)])
        _ = talk.wait(10, silent: [node])
        #expect(talk.hello(talk.arrival(role, "a")).directives.last == .drain(node))
        _ = talk.wait(10, silent: [node])
        let another = talk.hello(talk.arrival(role, "a", process: 2))
        #expect(!another.directives.contains(.drain(node)), "the place is free for another process")
    }
}
