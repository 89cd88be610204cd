import Foundation
import TestSupport
import Testing

/// SIGTERM lets each role finish what it has begun.
@Suite(.serialized, .timeLimit(.minutes(5))) struct StopSignalTests {
    private func withCluster(
        _ workers: [String],
        _ settings: [String] = [],
        _ body: (Cluster) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let endless = ["training.rounds=100000", "cluster.hedging=false", "cluster.audit_share=0"]
            try await body(try Cluster(in: folder, workers: workers, settings: endless + settings))
        }
    }

    @Test
    func `a rollout that is told to stop leaves when trainers have what it made, and nothing is made again`()
        async throws
    {
        try await withCluster(["rollout-1", "rollout-2", "trainer-1"], ["cluster.lead_batches=8"]) {
            cluster in
            try await cluster.start()
            try await cluster.commits(2)
            cluster.signal(SIGTERM, "rollout-1")
            #expect(try await cluster.exit(of: "rollout-1") == 0, "\(cluster.errors("rollout-1"))")
            try await cluster.commits(try cluster.committed() + 1)
            #expect(try cluster.events("left", of: "rollout-1").count == 1)
            for kind in ["trajectoryLost", "leaseFailed", "leaseExpired", "died"] {
                #expect(try cluster.events(kind).isEmpty, "\(kind)")
            }
            let leases = Dictionary(grouping: try cluster.events("leased").compactMap(\.batch)) { $0 }
            #expect(leases.allSatisfy { $1.count == 1 }, "\(leases.filter { $1.count > 1 })")
            try await cluster.stop()
        }
    }

    @Test func `the only rollout can leave too, and the next one goes on with the round`() async throws {
        try await withCluster(["rollout-1", "trainer-1"], ["training.local_steps=12"]) { cluster in
            try await cluster.start()
            try await cluster.commits(1)
            cluster.signal(SIGTERM, "rollout-1")
            #expect(try await cluster.exit(of: "rollout-1") == 0, "\(cluster.errors("rollout-1"))")
            try await cluster.standsStill(because: "no rollout worker is here")
            let round = try cluster.committed()
            try await cluster.join("rollout-1")
            try await cluster.commits(round + 2)
            #expect(try cluster.events("trajectoryLost").isEmpty)
            try await cluster.stop()
        }
    }

    @Test func `a trainer that is told to stop finishes its round, and its steps are in the commit`()
        async throws
    {
        let settings = ["training.local_steps=12", "cluster.trainers_at_start=2"]
        try await withCluster(["rollout-1", "trainer-1", "trainer-2"], settings) { cluster in
            try await cluster.start()
            try await cluster.eventually("both train in one round") {
                let round = try cluster.committed() + 1
                return try ["trainer-1", "trainer-2"].allSatisfy { name in
                    try cluster.events("consumed", of: name).contains { $0.round == round }
                }
            }
            let round = try #require(try cluster.events("consumed", of: "trainer-1").last?.round)
            cluster.signal(SIGTERM, "trainer-1")
            #expect(try await cluster.exit(of: "trainer-1") == 0, "\(cluster.errors("trainer-1"))")
            #expect(try cluster.committed() >= round)
            for kind in ["excluded", "voided"] { #expect(try cluster.events(kind).isEmpty, "\(kind)") }
            let closed = try cluster.events("roundClosed").first { $0.round == round }
            #expect(closed?.text == "2 of 2 members")
            try await cluster.commits(try cluster.committed() + 2)
            try await cluster.stop()
        }
    }

    @Test func `a coordinator that is told to stop again and again loses nothing`() async throws {
        try await withCluster(["rollout-1", "trainer-1"]) { cluster in
            try await cluster.start()
            try await cluster.commits(1)
            for pause in [20, 190] {
                try await Task.sleep(for: .milliseconds(pause))
                try await cluster.stop()
                let round = try cluster.committed()
                try await cluster.startCoordinator()
                try await cluster.commits(round + 2)
                let commits = try cluster.events("roundCommitted").compactMap(\.round)
                #expect(commits == Array(1...(commits.last ?? 0)), "each once, whatever was being stored")
            }
            for name in ["rollout-1", "trainer-1"] {
                #expect(
                    cluster.isRunning(name) && !cluster.errors(name).contains("error"),
                    "\(cluster.errors(name))"
                )
            }
            try await cluster.stop()
        }
    }

    @Test func `a second signal ends a worker that waits to finish, at once and in peace`() async throws {
        try await withCluster(["rollout-1", "trainer-1"]) { cluster in
            try await cluster.start()
            try await cluster.commits(1)
            #expect(try cluster.command("pause").exitCode == 0)
            for name in ["rollout-1", "trainer-1"] {
                cluster.signal(SIGTERM, name)
                try await cluster.eventually("\(name) has heard") {
                    cluster.errors(name).contains("it was told to stop")
                }
                cluster.signal(SIGTERM, name)
                #expect(try await cluster.exit(of: name) == 0, "\(cluster.errors(name))")
                // Its goodbye may be on its way still.
                try await cluster.eventually("\(name) has left") {
                    try !cluster.events("left", of: name).isEmpty
                }
                #expect(try cluster.events("left", of: name).count == 1)
            }
            try await cluster.stop()
        }
    }
}
