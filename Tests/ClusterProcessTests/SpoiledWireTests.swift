import Foundation
import TestSupport
import Testing

/// A wire between the processes that delays, narrows, holds, cuts and changes what goes by must not change what
/// they make.
@Suite(.serialized, .timeLimit(.minutes(5))) struct SpoiledWireTests {
    /// A proxy before each process that listens.
    private struct Wires {
        let coordinator: ChaosProxy
        let rollout: ChaosProxy

        var both: [ChaosProxy] { [coordinator, rollout] }
        func set(_ weather: Weather) { both.forEach { $0.weather = weather } }
        func sum(_ figure: KeyPath<ChaosProxy.Tally, Int>) -> Int {
            both.reduce(0) { $0 + $1.tally[keyPath: figure] }
        }
    }

    /// Runs a cluster whose processes find each other through proxies only, lets `body` spoil the wires from the
    /// first commit on, and compares the result with a calm run's.
    private func spoil(
        _ settings: [String] = [],
        _ body: (Cluster, Wires) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let cluster = try Cluster(in: folder, settings: CalmRun.settings + settings)
            let there = "127.0.0.2"
            for name in [Cluster.coordinator, "rollout-1"] {
                cluster.machines[name] = .init(advertised: there)
            }
            let port = cluster.port
            let wires = Wires(
                coordinator: try ChaosProxy(at: there, to: "127.0.0.1", ports: port..<port + 4),
                rollout: try ChaosProxy(at: there, to: "127.0.0.1", ports: port + 4..<port + 5)
            )
            defer { wires.both.forEach { $0.close() } }
            try await cluster.start()
            try await cluster.commits(1)
            try #require(wires.both.allSatisfy { $0.tally.byteCount > 0 }, "all goes through the proxies")
            try await body(cluster, wires)
            wires.set(.fair)
            try await CalmRun.expectEqual(to: cluster)
        }
    }

    @Test func `on a slow and narrow wire a run makes the same student`() async throws {
        try await spoil { cluster, wires in
            let before = wires.sum(\.byteCount)
            let start = ContinuousClock.now
            wires.set(Weather(delay: .milliseconds(60), bytesPerSecond: 2_500_000))
            try await cluster.commits(try cluster.committed() + 3)
            // Three rounds cannot be shorter than their ways: an order, a lease, a result, an offer, a commit.
            #expect(start.duration(to: .now) > .milliseconds(3 * 5 * 60))
            #expect(wires.sum(\.byteCount) > before)
            #expect(try cluster.events("died").isEmpty)
        }
    }

    @Test func `connections that are reset again and again are made again, and the student is the same`()
        async throws
    {
        try await spoil { cluster, wires in
            for _ in 0..<8 {
                let accepted = wires.sum(\.accepted)
                wires.both.forEach { $0.cut() }
                try await cluster.eventually("they connect again") { wires.sum(\.accepted) >= accepted + 3 }
                try await Task.sleep(for: .milliseconds(.random(in: 0..<300)))
            }
            #expect(wires.sum(\.cut) >= 8)
        }
    }

    @Test
    func `changed bytes end their connection, nothing of them is believed, and the batches are the same`()
        async throws
    {
        try await spoil { cluster, wires in
            let ended = try cluster.ended()
            let accepted = wires.sum(\.accepted)
            wires.set(Weather(corruptionInterval: 20_000))
            try await cluster.eventually("bytes are changed and connections end") {
                try wires.sum(\.corrupted) >= 5 && cluster.ended() >= ended + 3
            }
            wires.set(.fair)
            try await cluster.eventually("they connect again") { wires.sum(\.accepted) >= accepted + 3 }
            #expect(try cluster.events("violated").isEmpty)
        }
    }

    @Test(arguments: [[Weather.Way.forth], [.back], [.forth, .back]])
    func `a wire silent for longer than dead, one way or both, costs time and nothing else`(
        ways: [Weather.Way]
    ) async throws {
        try await spoil { cluster, wires in
            let joins = try cluster.events("joined").count
            wires.set(Weather(silent: Set(ways)))
            if ways == [.back] {
                // The coordinator hears pings, its answers are not heard: the nodes look for it anew.
                try await cluster.eventually("the nodes lose the coordinator") {
                    ["rollout-1", "trainer-1"].allSatisfy {
                        cluster.errors($0).contains("lost the coordinator")
                    }
                }
            } else {
                try await cluster.eventually("both are dead") { try cluster.events("died").count >= 2 }
            }
            #expect(wires.sum(\.held) > 0)
            wires.set(.fair)
            try await cluster.eventually("both are members again") {
                try cluster.events("joined").count >= joins + (ways == [.back] ? 0 : 2)
            }
        }
    }

    @Test func `a wire silent for less than dead makes nodes suspect, and the student is the same`()
        async throws
    {
        try await spoil(["cluster.dead=60"]) { cluster, wires in
            wires.set(Weather(silent: [.forth, .back]))
            try await cluster.eventually("both are suspect") { try cluster.events("suspected").count >= 2 }
            wires.set(.fair)
            try await cluster.eventually("both have recovered") { try cluster.events("recovered").count >= 2 }
            #expect(try cluster.events("died").isEmpty)
        }
    }

    @Test func `a trainer that cannot reach a rollout says so, and fetches from it later`() async throws {
        try await spoil { cluster, wires in
            wires.rollout.weather = Weather(silent: [.back])
            try await cluster.standsStill(because: "fetches batch")
            #expect(wires.rollout.tally.held > 0)
        }
    }
}
