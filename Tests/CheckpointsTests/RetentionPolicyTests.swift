import Checkpoints
import Foundation
import Testing

struct RetentionPolicyTests {
    let folder: TemporaryFolder
    let store: CheckpointStore

    init() throws {
        folder = try TemporaryFolder()
        store = try CheckpointsTests.store(folder)
    }

    @Test func `the last ones, every n-th and the pinned ones stay`() {
        let rounds: [UInt64] = [9, 0, 1, 2, 3, 4, 5, 6, 7, 8]
        #expect(RetentionPolicy(keepingLast: 3).expired(of: rounds) == [0, 1, 2, 3, 4, 5, 6])
        #expect(RetentionPolicy(keepingLast: 2, every: 4).expired(of: rounds) == [1, 2, 3, 5, 6, 7])
        let pinned = RetentionPolicy(keepingLast: 1, every: 5, pinned: [3, 7])
        #expect(pinned.expired(of: rounds) == [1, 2, 4, 6, 8])
        #expect(RetentionPolicy(keepingLast: 20).expired(of: rounds) == [])
        #expect(RetentionPolicy(keepingLast: 1).expired(of: []) == [])
    }

    @Test func `pruning removes what the policy lets go`() throws {
        try publish([1, 2, 3, 4, 5], in: store)
        #expect(try store.prune(RetentionPolicy(keepingLast: 2, every: 3)) == [1, 2])
        #expect(try store.rounds() == [3, 4, 5])
        #expect(try store.prune(RetentionPolicy(keepingLast: 2, every: 3)) == [])
    }

    @Test func `an older checkpoint stays until a newer one verifies`() throws {
        try publish([1, 2, 3], in: store)
        try folder.write([0], to: "checkpoints/round-000003/constants.bin")
        #expect(try store.prune(RetentionPolicy(keepingLast: 1)) == [])
        #expect(try store.rounds() == [1, 2, 3])
        #expect(try store.prune(RetentionPolicy(keepingLast: 2)) == [1])
        #expect(try store.latestVerified().checkpoint?.round == 2)
    }

    @Test func `a removed round is gone and can be published again`() throws {
        try publish([1, 2], in: store)
        try store.remove(round: 2)
        #expect(try store.rounds() == [1])
        #expect(throws: CheckpointError.unknownRound(2, folder: store.folder)) { try store.remove(round: 2) }
        try publish([2], in: store)
        #expect(try store.sweepAbandoned() == [])
    }
}
