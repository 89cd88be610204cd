import Foundation
import TestSupport
import Testing

/// One fault a test: what the cluster says of it, and that it goes on, or stops, as it should.
@Suite(.serialized, .timeLimit(.minutes(5))) struct SingleFaultTests {
    /// Longer than any of these tests.
    private static let endless = ["training.rounds=100000"]

    private func withCluster(
        _ workers: [String] = ["rollout-1", "trainer-1"],
        _ settings: [String] = [],
        _ body: (Cluster) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            try await body(try Cluster(in: folder, workers: workers, settings: Self.endless + settings))
        }
    }

    // MARK: Identity

    @Test
    func `a second process with a living node's key waits, says why, and takes over when the first dies`()
        async throws
    {
        // Two pings are missed by the dead, and by nobody whom a busy machine keeps waiting.
        let settings = ["cluster.ping=1", "cluster.suspect=3", "cluster.dead=10"]
        try await withCluster(["rollout-1", "trainer-1"], settings) { cluster in
            try await cluster.start()
            try cluster.start("twin", as: "rollout-1")
            try await cluster.eventually("the twin is refused and says so") {
                let refusals = try cluster.events("refused").compactMap(\.text)
                return refusals.contains { $0.contains("alive with the same identity") }
                    && cluster.errors("twin").contains("alive with the same identity")
            }
            #expect(cluster.isRunning("rollout-1") && cluster.isRunning("twin"))
            #expect(try cluster.events("joined", of: "rollout-1").count == 1)
            try await cluster.kill9("rollout-1")
            try await cluster.eventually("the twin is a member") {
                try cluster.events("joined", of: "rollout-1").count == 2
            }
            try await cluster.commits(try cluster.committed() + 2)
            try await cluster.stop()
        }
    }

    @Test func `a process that stood still while its twin took its place ends with exit code 77`()
        async throws
    {
        // Who has heard nothing for as long asks to be let in anew, and waits behind its twin; the twin may be slow to
        // start.
        try await withCluster(["rollout-1", "trainer-1"], ["cluster.dead=60"]) { cluster in
            try await cluster.start()
            cluster.signal(SIGSTOP, "rollout-1")
            try cluster.start("twin", as: "rollout-1")
            try await cluster.eventually("the twin is a member") {
                try cluster.events("joined", of: "rollout-1").count == 2
            }
            cluster.signal(SIGCONT, "rollout-1")
            #expect(try await cluster.exit(of: "rollout-1") == 77)
            #expect(cluster.errors("rollout-1").contains("a newer process took the place"))
            try await cluster.commits(try cluster.committed() + 2)
            try await cluster.stop()
        }
    }

    @Test(arguments: ["rollout-1", "trainer-1"])
    func `a worker with another teacher ends with exit code 77 and names both`(name: String) async throws {
        try await withCluster { cluster in
            // With what lies beside it, which belongs to the prompts.
            let teacher = URL(filePath: Repository.teacher)
            let copy = cluster.folder.appending(path: "copy")
            try FileManager.default.copyItem(at: teacher.deletingLastPathComponent(), to: copy)
            let model = copy.appending(path: teacher.lastPathComponent)
            try changeByte(of: model.appending(path: "transformer/diffusion_pytorch_model.safetensors"))
            cluster.models[name] = model.path()
            try await cluster.startCoordinator()
            try cluster.start(name)
            #expect(try await cluster.exit(of: name) == 77)
            let words = cluster.errors(name)
            #expect(words.contains(/the run's teacher is [0-9a-f]+, not [0-9a-f]+/), "\(words)")
            #expect(try cluster.events("refused").contains { $0.text?.contains("teacher") ?? false })
            // With the run's teacher it is let in, as the others are.
            cluster.models[name] = nil
            for worker in ["rollout-1", "trainer-1"] { try await cluster.join(worker) }
            try await cluster.commits(2)
            try await cluster.stop()
        }
    }

    @Test(arguments: ["rollout-2", "trainer-2"])
    func `a node whose key is taken off the list ends with exit code 77, and the others go on`(name: String)
        async throws
    {
        let workers = ["rollout-1", "trainer-1", name]
        try await withCluster(workers) { cluster in
            try await cluster.start()
            try await cluster.commits(1)
            try cluster.authorize(workers.filter { $0 != name })
            #expect(try await cluster.exit(of: name) == 77)
            #expect(cluster.errors(name).contains(/key is .*no longer,? authorized/))
            #expect(
                try cluster.events("authorized").contains { $0.text?.hasSuffix("1 sessions ended") ?? false }
            )
            let joins = try cluster.events("joined", of: name).count
            try cluster.start(name)
            try await cluster.eventually("a handshake is refused") {
                try !cluster.status().contains(/refused +[01],/)
            }
            try await cluster.commits(try cluster.committed() + 2)
            #expect(try cluster.events("joined", of: name).count == joins)
            try await cluster.stop()
        }
    }

    // MARK: The coordinator's folder

    @Test func `a second coordinator on the same folder ends with exit code 75, and the first goes on`()
        async throws
    {
        try await withCluster { cluster in
            try await cluster.start()
            let port = try freePorts(4)
            let second = try cluster.secondCoordinator(port: port)
            #expect(second.exitCode == 75)
            #expect(second.errors.contains("another coordinator works in this folder"), "\(second.errors)")
            try await cluster.commits(try cluster.committed() + 2)
            #expect(try cluster.events("started").count == 1)
            try await cluster.stop()
        }
    }

    @Test(arguments: ["a byte is changed", "the manifest is missing"])
    func `a torn checkpoint is refused by name, and put back the run goes on`(how: String) async throws {
        try await withCluster { cluster in
            try await cluster.start()
            try await cluster.commits(2)
            try await cluster.kill9(Cluster.coordinator)
            let store = URL(filePath: cluster.runFile("checkpoints"))
            let names = try FileManager.default.contentsOfDirectory(atPath: store.path()).sorted()
            let newest = store.appending(path: try #require(names.last { $0.hasPrefix("round-") }))
            let copy = cluster.folder.appending(path: "copy")
            try FileManager.default.copyItem(at: newest, to: copy)
            let student = newest.appending(path: "student.safetensors")
            switch how {
            case "a byte is changed": try changeByte(of: student)
            default: try FileManager.default.removeItem(at: newest.appending(path: "manifest.json"))
            }
            try cluster.start(Cluster.coordinator)
            #expect(try await cluster.exit(of: Cluster.coordinator) == 65)
            let words = cluster.errors(Cluster.coordinator)
            #expect(words.contains(newest.lastPathComponent) && words.contains("every worker"), "\(words)")
            try FileManager.default.removeItem(at: newest)
            try FileManager.default.moveItem(at: copy, to: newest)
            let round = try cluster.committed()
            try await cluster.startCoordinator()
            try await cluster.commits(round + 2)
            try await cluster.stop()
        }
    }

    @Test
    func `without a copy of a torn checkpoint a person takes its commit back, and the run ends the same`()
        async throws
    {
        try await withTemporaryFolder { folder in
            let cluster = try Cluster(in: folder, settings: CalmRun.settings)
            try await cluster.start()
            try await cluster.commits(3)
            try await cluster.kill9(Cluster.coordinator)
            func rewind(to round: Int) throws -> Program.Outcome {
                try Program.run(["ledger", "rewind", cluster.run.path(), "--to", "\(round)"], in: folder)
            }
            let store = URL(filePath: cluster.runFile("checkpoints"))
            let names = try FileManager.default.contentsOfDirectory(atPath: store.path())
            let rounds = names.filter { $0.hasPrefix("round-") }.sorted()
            let (last, before) = (try #require(rounds.last), try #require(rounds.dropLast().last))
            let (newest, whole) = (
                try #require(Int(last.dropFirst(6))), try #require(Int(before.dropFirst(6)))
            )
            try changeByte(of: store.appending(path: "\(last)/student.safetensors"))
            try cluster.start(Cluster.coordinator)
            #expect(try await cluster.exit(of: Cluster.coordinator) == 65)
            let words = cluster.errors(Cluster.coordinator)
            #expect(words.contains("flowsteer ledger rewind RUN --to \(whole)"), "\(words)")
            // What was never committed, and what is torn, is nothing to go back to.
            for round in [newest, newest + 1] {
                let refused = try rewind(to: round)
                #expect(
                    refused.exitCode == 65 && refused.errors.contains("last committed round"),
                    "\(refused)"
                )
            }
            let done = try rewind(to: whole)
            #expect(done.exitCode == 0 && done.output.contains("round \(whole) is the last"), "\(done)")
            try cluster.auditIsClean()
            try await cluster.startCoordinator()
            let busy = try rewind(to: 1)
            #expect(busy.exitCode == 75 && busy.errors.contains("another coordinator"), "\(busy)")
            let log = try cluster.events("rewound")
            #expect(log.map(\.round) == [whole])
            #expect(log.first?.text?.contains("are taken back") ?? false)
            try await CalmRun.expectEqual(to: cluster)
            #expect(
                try cluster.events("roundCommitted").count { $0.round == newest } == 2,
                "it is done again"
            )
        }
    }

    @Test(
        .enabled(if: SmallDisk.isPermitted, "mounting a disk in a namespace of its own is not permitted here")
    )
    func `a coordinator on a full disk waits and says so, and goes on when there is room`() async throws {
        try await withCluster { cluster in
            let disk = try await SmallDisk(at: cluster.run, megabytes: 64)
            cluster.machines[Cluster.coordinator] = .init(launcher: disk.launcher)
            cluster.runRoot = disk.root
            try await cluster.start()
            try await cluster.commits(1)
            let filler = cluster.runFile("filler")
            try disk.fill(filler)
            try await cluster.eventually("flowsteer status names the full disk") {
                try cluster.status().contains("waiting    the disk is full")
            }
            let round = try cluster.committed()
            let status = try cluster.status()
            #expect(cluster.isRunning(Cluster.coordinator), "\(cluster.errors(Cluster.coordinator))")
            try await Task.sleep(for: .seconds(3))
            #expect(try cluster.committed() == round, "\(status)")
            try FileManager.default.removeItem(atPath: filler)
            try await cluster.commits(round + 3)
            #expect(try cluster.events("started").count == 1)
            #expect(try !cluster.status().contains("the disk is full"))
            try await cluster.stop()
        }
    }

    @Test(.enabled(if: Preload.isPossible, "there is no 'clang' to build a slow disk with"))
    func `while its disk takes longer than a node lives in silence, a coordinator answers all nodes`()
        async throws
    {
        let settings = ["cluster.suspect=2", "cluster.dead=5"]
        try await withCluster(["rollout-1", "rollout-2", "trainer-1"], settings) { cluster in
            let disk = try SlowDisk(in: cluster.folder)
            cluster.machines[Cluster.coordinator] = .init(environment: disk.environment)
            try await cluster.start()
            try await cluster.commits(1)
            try await cluster.kill9("rollout-2")
            try disk.slow(to: 6_000)
            // It has its number from before: nothing of it is to be written down.
            try await cluster.join("rollout-2")
            try await cluster.eventually("a round waits for the disk") {
                guard let closing = try cluster.events("roundClosed").last else { return false }
                let isWaiting = try cluster.committed() < closing.round ?? 0
                return isWaiting && Date().timeIntervalSince1970 - closing.time > 8
            }
            try disk.slow(to: 0)
            try await cluster.commits(try cluster.committed() + 3)
            #expect(try cluster.events("stalled").compactMap(\.text) == [])
            for name in ["rollout-1", "rollout-2", "trainer-1"] {
                #expect(!cluster.errors(name).contains("lost the coordinator"), "\(cluster.errors(name))")
            }
            try await cluster.stop()
        }
    }

    @Test(.enabled(if: Preload.isPossible, "there is no 'clang' to build a clock with"))
    func `a wall clock that jumps a day forth and two back changes the dates in the log and nothing else`()
        async throws
    {
        try await withTemporaryFolder { folder in
            let clock = try WallClock(in: folder)
            // Much less than a day, and more than a busy machine keeps anybody waiting.
            let settings = CalmRun.settings + ["cluster.suspect=20", "cluster.dead=60"]
            let cluster = try Cluster(in: folder, settings: settings)
            for name in [Cluster.coordinator, "rollout-1", "trainer-1"] {
                cluster.machines[name] = .init(environment: clock.environment)
            }
            try await cluster.start()
            try await cluster.commits(1)
            let day = 86_400.0
            for shift in [day, -day] {
                try clock.jump(to: Int(shift))
                try await cluster.eventually("the log shows it") {
                    let time = try cluster.journal().last?.time ?? 0
                    return abs(time - Date().timeIntervalSince1970 - shift) < 3_600
                }
                try await cluster.commits(try cluster.committed() + 1)
            }
            try clock.jump(to: 0)
            for kind in ["suspected", "died", "stalled"] {
                #expect(try cluster.events(kind).isEmpty, "\(kind)")
            }
            try await CalmRun.expectEqual(to: cluster)
        }
    }

    // MARK: Death

    @Test func `killed at random moments and started again, each role goes on`() async throws {
        try await withCluster(["rollout-1", "rollout-2", "trainer-1", "trainer-2"]) { cluster in
            try await cluster.start()
            try await cluster.commits(1)
            for name in ["rollout-1", "trainer-1", Cluster.coordinator, "trainer-2", Cluster.coordinator] {
                let pause = Int.random(in: 0..<700)
                try await Task.sleep(for: .milliseconds(pause))
                try await cluster.kill9(name)
                let round = try cluster.committed()
                if name == Cluster.coordinator {
                    try await cluster.startCoordinator()
                } else {
                    try await cluster.join(name)
                }
                try await cluster.commits(round + 1)
            }
            #expect(try cluster.events("started").count == 3)
            try await cluster.stop()
        }
    }

    @Test func `a trainer that was killed works again soon, although the other one needs no download`()
        async throws
    {
        let settings = Self.endless + ["trajectory.max_uses=1", "cluster.grace=5"]
        try await withTemporaryFolder { folder in
            let workers = ["rollout-1", "rollout-2", "trainer-1", "trainer-2"]
            let cluster = try Cluster(in: folder, workers: workers, settings: settings)
            try await cluster.start()
            try await cluster.commits(2)
            for name in ["trainer-1", "trainer-2"] {
                try await cluster.kill9(name)
                let steps = try cluster.events("consumed", of: name).count
                try await cluster.join(name)
                let round = try cluster.committed()
                try await cluster.eventually("\(name) trains") {
                    try cluster.events("consumed", of: name).count > steps
                }
                // It reads the teacher meanwhile, and is a member of the round after that.
                let rounds = try cluster.committed() - round
                #expect(rounds < 12, "\(name) was left out of \(rounds) rounds")
            }
            try await cluster.stop()
        }
    }

    /// Changes a byte in the middle of a file.
    private func changeByte(of file: URL) throws {
        var data = try Data(contentsOf: file)
        data[data.count / 2] ^= 1
        try data.write(to: file)
    }
}
