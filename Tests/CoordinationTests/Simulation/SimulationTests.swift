import ClusterMessages
import Foundation
import Testing

@testable import Coordination

@Suite struct SimulationTests {
    /// `FLOWSTEER_SEEDS=100000 swift test --filter Simulation` looks longer.
    static let seeds = ProcessInfo.processInfo.environment["FLOWSTEER_SEEDS"].flatMap { Int($0) } ?? 600

    @Test func `a cluster without faults commits every round and gives up nothing`() throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            var cluster = VirtualCluster(seed: seed, faultsEnd: 0)
            try cluster.run()
            #expect(cluster.disk.snapshot.parameters.round == RoundNumber(3))
            #expect(cluster.disk.dead.isEmpty)
            #expect(cluster.now < 30_000, "seed \(seed)")
        }
    }

    /// Each chunk runs beside the others.
    @Test(arguments: 0..<8)
    func `a cluster with faults commits every round, each batch once`(chunk: Int) {
        var faults = 0
        let chunkSize = Self.seeds / 8
        for seed in UInt64(chunk * chunkSize)..<UInt64((chunk + 1) * chunkSize) {
            var cluster = VirtualCluster(seed: seed)
            do {
                try cluster.run()
                #expect(cluster.disk.snapshot.parameters.round == RoundNumber(3), "seed \(seed)")
            } catch {
                Issue.record("seed \(seed), after \(cluster.now) ms: \(error)")
            }
            faults += cluster.faults
        }
        #expect(faults > chunkSize, "too few faults to prove anything")
    }
}
