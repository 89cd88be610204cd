import Checkpoints
import ClusterMessages
import GRDB
import Testing

@testable import ClusterRuntime
@testable import Coordination

@Suite struct LedgerTests {
    @Test func `what was committed is the snapshot of the next life`() async throws {
        try await withRunFolder { folder in
            let first = try Ledger(folder: folder)
            let fresh = try first.begin(identity(), in: folder, as: Incarnation(1), at: 100)
            #expect(fresh == RunSnapshot(parameters: ParameterVersion(round: .initial, hash: hash(2))))
            let node = KnownNode(id: NodeID(1), identity: "key trainer", role: .trainer, name: "old name")
            let renamed = KnownNode(id: NodeID(1), identity: "key trainer", role: .trainer, name: "new name")
            try first.remember(node)
            try first.remember(renamed)
            try first.bury(DeadLetter(batch: BatchID(2), failures: 5, reason: "no luck"))
            let plan = plan(round: 1, batches: 0..<2, issued: 4, offers: [(NodeID(1), hash(3))])
            try first.commit(plan, parameters: hash(4), manifest: hash(5), at: 101)
            try first.close()

            let second = try Ledger(folder: folder)
            let snapshot = try second.begin(identity(), in: folder, as: Incarnation(2), at: 102)
            #expect(
                snapshot
                    == RunSnapshot(
                        generation: 1,
                        nodes: [renamed],
                        parameters: ParameterVersion(round: RoundNumber(1), hash: hash(4)),
                        issued: 4,
                        committed: [BatchID(0), BatchID(1)],
                        dead: [BatchID(2)],
                        contributors: [NodeID(1)]
                    )
            )
            #expect(try second.lastRound()?.manifest == hash(5))
        }
    }

    @Test func `a rewinding leaves the state of the round it goes back to, and what is dead stays dead`()
        async throws
    {
        try await withRunFolder { folder in
            let ledger = try Ledger(folder: folder)
            _ = try ledger.begin(identity(), in: folder, as: Incarnation(1), at: 100)
            let store = try CheckpointStore(folder: "\(folder)/checkpoints")
            for round in 1...2 as ClosedRange<UInt64> {
                let plan = plan(
                    round: round,
                    batches: (round - 1) * 2..<round * 2,
                    issued: round * 2 + 1,
                    offers: [(NodeID(1), hash(3))]
                )
                try ledger.commit(plan, parameters: hash(4), manifest: hash(5), at: 101)
            }
            try ledger.bury(DeadLetter(batch: BatchID(4), failures: 5, reason: "no luck"))
            #expect(throws: CoordinatorError.self, "round 1 has no checkpoint") {
                try ledger.rewind(to: RoundNumber(1), checkpoints: store, at: 102)
            }
            #expect(try ledger.lastRound()?.version.round == RoundNumber(2))
            #expect(try ledger.rewind(to: .initial, checkpoints: store, at: 103) == 2)
            let texts = try ledger.rewindings().map(\.text)
            #expect(texts == ["rounds 1 to 2 are taken back, their batches are done again"])
            let snapshot = try ledger.begin(identity(), in: folder, as: Incarnation(2), at: 104)
            let initial = ParameterVersion(round: .initial, hash: hash(2))
            #expect(snapshot == RunSnapshot(generation: 1, parameters: initial, dead: [BatchID(4)]))
        }
    }

    @Test func `a round whose batch was settled before leaves no trace`() async throws {
        try await withRunFolder { folder in
            let ledger = try Ledger(folder: folder)
            _ = try ledger.begin(identity(), in: folder, as: Incarnation(1), at: 100)
            let offers = [(NodeID(1), hash(3))]
            try ledger.commit(
                plan(round: 1, batches: 0..<2, issued: 2, offers: offers),
                parameters: hash(4),
                manifest: hash(5),
                at: 101
            )
            #expect(throws: CoordinatorError.self) {
                try ledger.commit(
                    plan(round: 2, batches: 1..<3, issued: 3, offers: offers),
                    parameters: hash(6),
                    manifest: hash(7),
                    at: 102
                )
            }
            #expect(try ledger.lastRound()?.version.round == RoundNumber(1))
        }
    }

    @Test func `the file has one owner at a time`() async throws {
        try await withRunFolder { folder in
            let owner = try Ledger(folder: folder)
            let path = owner.path
            #expect(throws: CoordinatorError.folderInUse(path: path)) { try Ledger(folder: folder) }
            try owner.close()
            try Ledger(folder: folder).close()
        }
    }

    @Test func `commits wait for the disk`() async throws {
        try await withRunFolder { folder in
            let ledger = try Ledger(folder: folder)
            let pragmas = try ledger.transaction { database in
                [
                    try String.fetchOne(database, sql: "PRAGMA journal_mode"),
                    try String.fetchOne(database, sql: "PRAGMA synchronous"),
                ]
            }
            #expect(pragmas == ["wal", "2"])
        }
    }

    @Test func `another configuration is refused as a matter of configuration`() async throws {
        try await withRunFolder { folder in
            let ledger = try Ledger(folder: folder)
            _ = try ledger.begin(identity(), in: folder, as: Incarnation(1), at: 100)
            let other = identity("seed: 2\n")
            let expected = CoordinatorError.otherConfiguration(
                folder: folder,
                recorded: identity().runID,
                given: other.runID
            )
            #expect(throws: expected) {
                try ledger.begin(other, in: folder, as: Incarnation(2), at: 101)
            }
            #expect(expected.exitCode == 78)
        }
    }
}
