import Foundation
import TestSupport
import Testing

/// Where each batch is one trainer's by its number, what two trainers make does not depend on what happens to them.
@Suite(.serialized, .timeLimit(.minutes(5))) struct OrderedRunTests {
    private static let rounds = 10
    private static let workers = ["rollout-1", "rollout-2", "trainer-1", "trainer-2"]
    private static let settings = [
        "training.rounds=\(rounds)", "cluster.assignment=ordered", "cluster.lead_batches=6",
        // Two batches a round and trainer, so that their order matters; small ones, as there are many processes.
        "training.local_steps=4", "training.batch_size=2", "cluster.batch_samples=2",
        // Nobody's offer is left out, and who comes back has the past of the one before.
        "cluster.trainers_at_start=2", "cluster.quorum=1", "cluster.grace=60",
        "cluster.averaging.moments_period=1", "cluster.attempts=100",
    ]

    /// Batches by round and trainer, in the order in which their uses were counted, as the committed rounds have them.
    private func uses(of cluster: Cluster) throws -> [String: [Int]] {
        var uses: [String: [Int]] = [:]
        for name in Self.workers where name.hasPrefix("trainer") {
            for event in try cluster.events("consumed", of: name) {
                guard let round = event.round, let batch = event.batch else { continue }
                let key = "\(name) in round \(round)"
                // A process that begins the round anew counts from its first batch again.
                if let known = uses[key]?.firstIndex(of: batch), known + 1 < uses[key]?.count ?? 0 {
                    uses[key]?.removeSubrange((known + 1)...)
                } else if uses[key]?.last != batch {
                    uses[key, default: []].append(batch)
                }
            }
        }
        return uses
    }

    @Test func `with ten faults two trainers make the same student, byte for byte`() async throws {
        try await withTemporaryFolder { folder in
            let calm = try Cluster(
                in: try inner("calm", of: folder),
                workers: Self.workers,
                settings: Self.settings
            )
            try await calm.start()
            try await calm.commits(Self.rounds / 2)
            try await calm.finish()
            let cluster = try Cluster(
                in: try inner("faulted", of: folder),
                workers: Self.workers.reversed(),
                settings: Self.settings
            )
            let wires = try wires(of: cluster)
            defer { wires.forEach { $0.close() } }
            // In another order, so that the nodes have other numbers.
            try await cluster.start()
            try await cluster.commits(1)
            for names in [["rollout-1", "trainer-1"], [Cluster.coordinator], ["trainer-2"]] {
                try await kill(names, of: cluster)
            }
            try await cut(wires, of: cluster)
            try await spoil(wires, of: cluster)
            #expect(try cluster.committed() < Self.rounds, "all of it happened before the end")
            try await cluster.finish()
            try cluster.auditIsClean()
            #expect(try cluster.events("batchDied").isEmpty)
            for kind in ["excluded", "voided"] { #expect(try cluster.events(kind).isEmpty, "\(kind)") }
            #expect(try uses(of: cluster) == uses(of: calm))
            let (expected, found) = (
                try calm.result(ofRound: Self.rounds), try cluster.result(ofRound: Self.rounds)
            )
            #expect(expected.count == 4 && Set(expected.keys) == Set(found.keys))
            for (name, bytes) in expected {
                let isEqual = found[name] == bytes
                #expect(isEqual, "\(name)")
            }
        }
    }

    private func inner(_ name: String, of folder: URL) throws -> URL {
        let inner = folder.appending(path: name)
        try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
        return inner
    }

    /// Proxies before the coordinator and the rollouts.
    private func wires(of cluster: Cluster) throws -> [ChaosProxy] {
        let (there, port) = ("127.0.0.2", cluster.port)
        for name in [Cluster.coordinator, "rollout-1", "rollout-2"] {
            cluster.machines[name] = .init(advertised: there)
        }
        let places = ["rollout-1", "rollout-2"].compactMap { name in
            Array(Self.workers.reversed()).firstIndex(of: name)
        }
        return try [port..<port + 4].map { try ChaosProxy(at: there, to: "127.0.0.1", ports: $0) }
            + places.map { place in
                try ChaosProxy(at: there, to: "127.0.0.1", ports: port + 4 + place..<port + 5 + place)
            }
    }

    // MARK: Faults

    /// Kills processes in the middle of a round, and starts them again.
    private func kill(_ names: [String], of cluster: Cluster) async throws {
        let count = try cluster.events("consumed").count
        try await cluster.eventually("somebody trains") { try cluster.events("consumed").count > count }
        let round = try cluster.committed()
        for name in names { try await cluster.kill9(name) }
        for name in names {
            if name == Cluster.coordinator {
                try await cluster.startCoordinator()
            } else {
                try await cluster.join(name)
            }
        }
        try await cluster.commits(round + 1)
    }

    private func cut(_ wires: [ChaosProxy], of cluster: Cluster) async throws {
        func sum(_ figure: KeyPath<ChaosProxy.Tally, Int>) -> Int {
            wires.reduce(0) { $0 + $1.tally[keyPath: figure] }
        }
        for _ in 0..<3 {
            let (cuts, accepted) = (sum(\.cut), sum(\.accepted))
            wires.forEach { $0.cut() }
            try await cluster.eventually("they connect again") { sum(\.accepted) >= accepted + 4 }
            #expect(sum(\.cut) > cuts)
        }
    }

    /// Changes bytes on every wire until connections end of it.
    private func spoil(_ wires: [ChaosProxy], of cluster: Cluster) async throws {
        let ended = try cluster.ended()
        wires.forEach { $0.weather = Weather(corruptionInterval: 5_000) }
        try await cluster.eventually("bytes are changed and connections end") {
            try wires.reduce(0) { $0 + $1.tally.corrupted } >= 3 && cluster.ended() >= ended + 2
        }
        wires.forEach { $0.weather = .fair }
    }
}
