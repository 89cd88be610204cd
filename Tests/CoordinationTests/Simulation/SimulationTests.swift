import ClusterMessages
import Foundation
import Testing

@testable import Coordination

/// Whole clusters in virtual time, each the life that one seed gives it.
///
/// `FLOWSTEER_SEED=123 swift test --filter Simulation` lives one again and prints it;
/// `FLOWSTEER_SEEDS=100000 swift test --filter Simulation` looks longer.
@Suite struct SimulationTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let chunkCount = 8
    private static let seeds = environment["FLOWSTEER_SEEDS"].flatMap { Int($0) } ?? 10_400
    /// The one seed to live through, printed.
    private static let replayed = environment["FLOWSTEER_SEED"].flatMap { UInt64($0) }

    @Test func `a cluster without faults commits every round, gives up nothing and makes nothing in vain`()
        throws
    {
        for seed in 1...200 as ClosedRange<UInt64> {
            var cluster = VirtualCluster(seed: seed, faultsEnd: 0)
            try cluster.run()
            #expect(cluster.disk.parameters.round == RoundNumber(3))
            #expect(cluster.disk.dead.isEmpty)
            #expect(cluster.now < 60_000, "seed \(seed)")
            guard let need = cluster.settings.batchesPerRound, cluster.settings.usesPerBatch == 1 else {
                continue
            }
            let trainers = cluster.nodes.count { $0.role == .trainer }
            #expect(cluster.coordinator?.ledger.issued ?? 0 <= UInt64(3 * trainers * need), "seed \(seed)")
        }
    }

    @Test(arguments: 0..<chunkCount)
    func `a cluster with faults commits every round, each batch once, and its members agree`(chunk: Int) {
        var faults: [Fault: Int] = [:]
        var quarantines = 0
        var rings = (made: 0, broken: 0)
        let size = Self.seeds / Self.chunkCount
        let seeds = UInt64(chunk * size)..<UInt64((chunk + 1) * size)
        for seed in Self.replayed.map({ chunk == 0 ? $0..<$0 + 1 : 0..<0 }) ?? seeds {
            var cluster = VirtualCluster(seed: seed)
            cluster.isTraced = Self.replayed != nil
            do {
                try cluster.run()
                #expect(cluster.disk.parameters.round == RoundNumber(3), "seed \(seed)")
            } catch {
                Issue.record(
                    """
                    seed \(seed), after \(cluster.now) ms: \(error)
                    once more: FLOWSTEER_SEED=\(seed) swift test --filter Simulation
                    """
                )
            }
            quarantines += cluster.quarantines
            rings = (rings.made + cluster.rings.made, rings.broken + cluster.rings.broken)
            faults.merge(cluster.faults) { $0 + $1 }
        }
        guard Self.replayed == nil else { return }
        #expect(quarantines > size / 100, "too few rollouts with wrong numbers were found")
        #expect(
            rings.made > size / 5 && rings.broken > size / 10,
            "too few rings to prove anything: \(rings)"
        )
        for fault in Fault.allCases {
            #expect(faults[fault, default: 0] > size / 50, "too little \(fault) to prove anything")
        }
    }
}
