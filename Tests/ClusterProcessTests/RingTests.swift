import Foundation
import TestSupport
import Testing

/// Three trainers that average among themselves, and lose one of them in the middle of that.
@Suite(.serialized, .timeLimit(.minutes(5))) struct RingTests {
    /// Where a process dies that others fetch from.
    static let crashPoint = "trainer-serving-ring"

    @Test func `a trainer that dies while others fetch from it costs no byte, nor do rings`() async throws {
        try await withTemporaryFolder { folder in
            let ring = try RingRun.cluster(.ring, in: folder)
            // The second piece of its offer that somebody wants.
            ring.machines["trainer-2"] = .init(environment: ["FLOWSTEER_FAULT": "\(Self.crashPoint):2"])
            try await ring.start()
            try await ring.eventually("trainer-2 kills itself") { !ring.isRunning("trainer-2") }
            let broken = try ring.committed() + 1
            ring.machines["trainer-2"] = nil
            try await ring.join("trainer-2")
            try await RingRun.expectEqual(to: ring, brokenIn: broken)
        }
    }

    /// What happens to the network, with the event by which the coordinator hears of it.
    enum Fault: String, CaseIterable {
        case pulledCable = "died"
        case blackHole = "ringBroken"
    }

    @Test(
        .enabled(
            if: Network.isPermitted,
            "network namespaces are not permitted here, or there is no 'ip' and 'ss'"
        ),
        arguments: Fault.allCases
    )
    func `a trainer that others cannot reach in the middle of a ring leaves the round to the coordinator`(
        fault: Fault
    ) async throws {
        try await withTemporaryFolder { folder in
            let machines = [Cluster.coordinator] + RingRun.workers
            let network = try Network(machines)
            let ring = try RingRun.cluster(.ring, in: folder)
            for name in machines {
                ring.machines[name] = network.machine(name, coordinator: Cluster.coordinator)
            }
            try await ring.start()
            try await ring.commits(1)
            // So narrow a link takes seconds for what two others want of an offer.
            try network.narrow("trainer-2", megabitsPerSecond: 20)
            let closed = try ring.events("roundClosed").count
            try await ring.eventually("a ring begins") { try ring.events("roundClosed").count > closed }
            let round = try #require(try ring.events("roundClosed").last?.round)
            let there = network.address("trainer-2")
            switch fault {
            case .pulledCable: try network.setConnected("trainer-2", false)
            case .blackHole: try network.run("trainer-1", "ip", "route", "add", "blackhole", "\(there)/32")
            }
            #expect(try ring.committed() == round - 1, "it is in the middle of its ring")
            try await ring.eventually("the coordinator hears of it") {
                try !ring.events(fault.rawValue).isEmpty
            }
            try network.widen("trainer-2")
            switch fault {
            case .pulledCable: try network.setConnected("trainer-2", true)
            case .blackHole:
                try network.run("trainer-1", "ip", "route", "delete", "blackhole", "\(there)/32")
                #expect(try ring.events("died").isEmpty)
            }
            try await RingRun.expectEqual(to: ring, brokenIn: round)
        }
    }
}
