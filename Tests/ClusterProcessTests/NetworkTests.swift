import Foundation
import TestSupport
import Testing

/// Coordinator, rollout and trainer on machines of their own, as the kernel's network sees it, whose network fails.
@Suite(
    .serialized,
    .timeLimit(.minutes(5)),
    .enabled(
        if: Network.isPermitted,
        "network namespaces are not permitted here, or there is no 'ip' and 'ss'"
    )
)
struct NetworkTests {
    private static let machines = [Cluster.coordinator, "rollout-1", "trainer-1"]

    /// Runs a cluster of three machines, lets `body` disturb their network from the first commit on, and compares
    /// the result with a calm run's.
    private func disturb(_ body: (Cluster, Network) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let network = try Network(Self.machines)
            let cluster = try Cluster(in: folder, settings: CalmRun.settings)
            for name in Self.machines {
                cluster.machines[name] = network.machine(name, coordinator: Cluster.coordinator)
            }
            try await cluster.start()
            try await cluster.commits(1)
            try await body(cluster, network)
            try await CalmRun.expectEqual(to: cluster)
        }
    }

    @Test(arguments: ["rollout-1", "trainer-1"])
    func `a machine whose cable is pulled is dead, and a member again with the cable`(name: String)
        async throws
    {
        try await disturb { cluster, network in
            try network.setConnected(name, false)
            try await cluster.eventually("\(name) is dead") { try !cluster.events("died", of: name).isEmpty }
            try network.setConnected(name, true)
            try await cluster.eventually("\(name) is a member again") {
                try cluster.events("joined", of: name).count >= 2
            }
        }
    }

    @Test func `a coordinator whose cable is pulled loses all nodes, and all come back`() async throws {
        try await disturb { cluster, network in
            try network.setConnected(Cluster.coordinator, false)
            try await cluster.eventually("both are dead") { try cluster.events("died").count >= 2 }
            try network.setConnected(Cluster.coordinator, true)
            try await cluster.eventually("both are members again") {
                try cluster.events("joined").count >= 4
            }
        }
    }

    @Test(arguments: ["rollout-1", "trainer-1"])
    func `when nothing reaches the coordinator from a machine, that is dead, and comes back`(name: String)
        async throws
    {
        try await disturb { cluster, network in
            let there = network.address(Cluster.coordinator)
            try network.run(name, "ip", "route", "add", "blackhole", "\(there)/32")
            try await cluster.eventually("\(name) is dead") { try !cluster.events("died", of: name).isEmpty }
            try network.run(name, "ip", "route", "delete", "blackhole", "\(there)/32")
            try await cluster.eventually("\(name) is a member again") {
                try cluster.events("joined", of: name).count >= 2
            }
        }
    }

    @Test(arguments: ["rollout-1", "trainer-1"])
    func `when nothing reaches a machine from the coordinator, it looks for the coordinator, and finds it`(
        name: String
    ) async throws {
        try await disturb { cluster, network in
            let there = network.address(name)
            try network.run(Cluster.coordinator, "ip", "route", "add", "blackhole", "\(there)/32")
            try await cluster.eventually("\(name) has lost the coordinator") {
                cluster.errors(name).contains("lost the coordinator")
            }
            try network.run(Cluster.coordinator, "ip", "route", "delete", "blackhole", "\(there)/32")
        }
    }

    @Test func `between trainer and rollout a black hole costs time and nothing else`() async throws {
        try await disturb { cluster, network in
            let there = network.address("rollout-1")
            try network.run("trainer-1", "ip", "route", "add", "blackhole", "\(there)/32")
            try await cluster.standsStill(because: "fetches batch")
            #expect(try cluster.events("died").isEmpty)
            try network.run("trainer-1", "ip", "route", "delete", "blackhole", "\(there)/32")
        }
    }

    @Test func `reset connections are made again`() async throws {
        try await disturb { cluster, network in
            for _ in 0..<4 {
                for name in Self.machines {
                    let killed = try network.run(
                        name,
                        "ss",
                        "--no-header",
                        "--kill",
                        "--tcp",
                        "state",
                        "established"
                    )
                    try #require(name != Cluster.coordinator || !killed.isEmpty, "a connection is reset")
                }
                try await cluster.commits(try cluster.committed() + 1)
            }
        }
    }

    @Test(.enabled(if: Network.canLose, "there is no 'nft' to drop packets at random"), arguments: [1, 5])
    func `lost packets cost time and nothing else`(percent: Int) async throws {
        try await disturb { cluster, network in
            for name in Self.machines {
                try network.run(name, "nft", "add", "table", "inet", "loss")
                try network.run(
                    name,
                    "nft",
                    "add",
                    "chain",
                    "inet",
                    "loss",
                    "in",
                    "{ type filter hook input priority 0; }"
                )
                try network.run(
                    name,
                    "nft",
                    "add",
                    "rule",
                    "inet",
                    "loss",
                    "in",
                    "iifname",
                    "eth0",
                    "numgen",
                    "random",
                    "mod",
                    "100",
                    "<",
                    "\(percent)",
                    "counter",
                    "drop"
                )
            }
            try await cluster.commits(try cluster.committed() + 4)
            for name in Self.machines {
                let rules = try network.run(name, "nft", "list", "table", "inet", "loss")
                let lost = rules.firstMatch(of: /packets (\d+)/).flatMap { Int($0.1) } ?? 0
                #expect(lost > 0, "\(rules)")
            }
        }
    }

    @Test func `a link of 20 Mbit a second carries a run`() async throws {
        try await disturb { cluster, network in
            for name in Self.machines { try network.narrow(name, megabitsPerSecond: 20) }
            try await cluster.commits(try cluster.committed() + 2)
            let counters = try network.run("trainer-1", "tc", "-s", "qdisc", "show", "dev", "eth0")
            let late = counters.firstMatch(of: /overlimits (\d+)/).flatMap { Int($0.1) } ?? 0
            #expect(late > 0, "\(counters)")
            for name in Self.machines { try network.widen(name) }
        }
    }

    @Test func `a trainer whose address changes is a member again by itself`() async throws {
        // Its open fetch is given up, and the batch assigned anew behind another.
        try await disturb { cluster, network in
            let old = network.address("trainer-1")
            try network.run("trainer-1", "ip", "address", "delete", "\(old)/24", "dev", "eth0")
            try network.run("trainer-1", "ip", "address", "add", "10.77.0.99/24", "dev", "eth0")
            try await cluster.eventually("the coordinator hears it from there") {
                try network.run(Cluster.coordinator, "ss", "-tn", "state", "established").contains(
                    "10.77.0.99:"
                )
            }
        }
    }

    @Test func `a rollout that moves and is started again serves from its new address`() async throws {
        // What the trainer was to fetch from the old one it gets later.
        try await disturb { cluster, network in
            try await cluster.kill9("rollout-1")
            let new = "10.77.0.98"
            try network.run("rollout-1", "ip", "address", "flush", "dev", "eth0")
            try network.run("rollout-1", "ip", "address", "add", "\(new)/24", "dev", "eth0")
            cluster.machines["rollout-1"]?.address = new
            cluster.machines["rollout-1"]?.advertised = new
            try await cluster.join("rollout-1")
            try await cluster.commits(try cluster.committed() + 2)
        }
    }
}
