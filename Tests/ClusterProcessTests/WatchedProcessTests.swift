import Foundation
import TestSupport
import Testing

/// What a service manager hears of the processes it started (sd_notify(3)).
@Suite(.serialized, .timeLimit(.minutes(3))) struct WatchedProcessTests {
    @Test func `a manager hears when a process is ready, that it lives, and that it ends`() async throws {
        try await withTemporaryFolder { folder in
            let cluster = try Cluster(in: folder, settings: ["training.rounds=100000"])
            var managers: [String: DatagramSocket] = [:]
            for name in [Cluster.coordinator, "trainer-1"] {
                let address = "@flowsteer-\(UUID().uuidString)"
                managers[name] = try DatagramSocket(at: address)
                cluster.machines[name] = Cluster.Machine(
                    environment: ["NOTIFY_SOCKET": address, "WATCHDOG_USEC": "4000000"]
                )
            }
            var heard: [String: String] = [:]
            func hears(_ name: String, _ words: String) async throws {
                try await cluster.eventually("\(name) says \(words)") {
                    while let text = managers[name]?.receive() { heard[name, default: ""] += text + "\n" }
                    return heard[name]?.contains(words) ?? false
                }
            }
            try await cluster.start()
            try await hears(Cluster.coordinator, "READY=1\nSTATUS=run ")
            try await hears("trainer-1", "READY=1\nSTATUS=looks for the coordinator")
            try await hears("trainer-1", "STATUS=node ")
            try await hears(Cluster.coordinator, "WATCHDOG=1")
            try await hears("trainer-1", "WATCHDOG=1")
            cluster.signal(SIGTERM, "trainer-1")
            #expect(try await cluster.exit(of: "trainer-1") == 0)
            try await hears("trainer-1", "STOPPING=1")
            try await cluster.stop()
            try await hears(Cluster.coordinator, "STOPPING=1")
        }
    }
}
