import Foundation
import TestSupport
import Testing

/// What a run's processes make must not depend on which of them died on the way.
@Suite(.timeLimit(.minutes(5))) struct HealingTests {
    /// Every crash point, in the order in which the processes of its role die there, and at which time of reaching it.
    ///
    /// Three trainers die in the first round, which is committed when the fourth coordinator dies. The next two die in
    /// rounds that begin with an optimizer's past, which a new process has from the committed moments.
    private let plan: [(process: String, points: [String])] = [
        (
            "rollout-1",
            ["rollout-after-solving:1", "rollout-serving-chunk:1", "rollout-after-checkpoint-chunk:1"]
        ),
        (
            "trainer-1",
            [
                "trainer-after-step-report:1", "trainer-before-offer:1", "trainer-after-offer:1",
                "trainer-before-offer:2", "trainer-after-step-report:2",
            ]
        ),
        (
            "coordinator",
            [
                "coordinator-before-files:1", "coordinator-after-files:1", "coordinator-before-commit:1",
                "coordinator-after-commit:1", "coordinator-before-announcement:1",
            ]
        ),
    ]

    @Test func `there is no crash point at which no test lets a process die`() async throws {
        try await withTemporaryFolder { folder in
            // Who names a point that there is not is told which there are.
            let refused = try Program.run(
                ["keygen", "--out", "key"],
                in: folder,
                environment: ["FLOWSTEER_FAULT": "nowhere:1"]
            )
            let names = try #require(refused.errors.split(separator: "expected one of ").last)
                .split { ", \n".contains($0) }
            let tested = plan.flatMap(\.points).map { $0.prefix { $0 != ":" } } + [RingTests.crashPoint[...]]
            #expect(Set(names) == Set(tested), "\(refused.errors)")
        }
    }

    @Test func `a run whose processes die at every crash point makes the same student, byte for byte`()
        async throws
    {
        try await withTemporaryFolder { folder in
            let faults = plan.flatMap(\.points).joined(separator: ",")
            let settings = ["cluster.assignment=ordered"]
            let calm = try start("calm", rounds: 4, in: folder, settings: settings)
            defer { if calm.isRunning { calm.terminate() } }
            let faulted = try start("faulted", rounds: 4, in: folder, faults: faults, settings: settings)
            defer { if faulted.isRunning { faulted.terminate() } }
            while calm.isRunning || faulted.isRunning { try await Task.sleep(for: .milliseconds(50)) }

            let run = folder.appending(path: "faulted")
            let restarts = try lines(of: "logs/local.log", in: run)
            let joins = try events("joined", in: run)
            for (process, points) in plan {
                let deaths = try lines(of: "logs/\(process).log", in: run).filter { $0.contains("dies at ") }
                #expect(deaths.map { String($0) } == points.map { "flowsteer: dies at \($0.dropLast(2))" })
                let news = "\(process) was killed by signal 9, it is started again"
                #expect(restarts.count { $0.hasSuffix(news) } == points.count, "\(process): \(restarts)")
                guard process != "coordinator" else { continue }
                let count = joins.count { $0.contains(#""\#(process)""#) }
                #expect(count > points.count, "\(process) joined \(count) times")
            }
            let late = try trainersBegun(afterOpening: 2, in: run)
            #expect(late >= 2, "\(late) trainers began when a round was committed")
            try expectEqual(calm, faulted, "faulted", in: folder, after: 4)
        }
    }

    @Test
    func `a rollout that stands still is suspected, or dead and let in again, and the student is the same`()
        async throws
    {
        try await withTemporaryFolder { folder in
            let calm = try start("calm", rounds: 24, in: folder)
            defer { if calm.isRunning { calm.terminate() } }
            let halting = try start("halting", rounds: 24, in: folder)
            defer { if halting.isRunning { halting.terminate() } }
            let run = folder.appending(path: "halting")
            func eventually(_ kind: String, count: Int = 1) async throws {
                _ = try await ClusterProcessTests.eventually {
                    try #require(halting.isRunning, "the run is over before the rollout is \(kind)")
                    let found = (try? events(kind, in: run).filter { !$0.contains("trainer-1") }.count) ?? 0
                    return found >= count ? true : nil
                }
            }
            try await eventually("joined")
            let rollout = try #require(try children(of: halting, role: "rollout-worker").first)
            kill(rollout, SIGSTOP)
            try await eventually("suspected")
            kill(rollout, SIGCONT)
            try await eventually("recovered")
            #expect(try events("died", in: run).isEmpty)
            kill(rollout, SIGSTOP)
            try await eventually("died")
            kill(rollout, SIGCONT)
            try await eventually("joined", count: 2)
            while calm.isRunning || halting.isRunning { try await Task.sleep(for: .milliseconds(50)) }
            // Where nothing is told of the processes there is no such file.
            let news = (try? lines(of: "logs/local.log", in: run)) ?? []
            #expect(news.allSatisfy { !$0.contains("started again") })
            try expectEqual(calm, halting, "halting", in: folder, after: 24)
        }
    }

    /// Both ended well, and made the same.
    private func expectEqual(
        _ calm: Process,
        _ other: Process,
        _ name: String,
        in folder: URL,
        after rounds: Int
    ) throws {
        for (program, name) in [(calm, "calm"), (other, name)] {
            let errors = try Program.text("\(name).err", in: folder)
            try #require(program.terminationStatus == 0, "\(name): \(errors)")
        }
        let round = "checkpoints/round-\(String(format: "%06d", rounds))"
        for file in [
            "\(round)/student.safetensors", "\(round)/discriminator.safetensors",
            "\(round)/update_counts.safetensors", "\(round)/moments.safetensors",
            "student/pytorch_lora_weights.safetensors",
        ] {
            let contents = try ["calm", name].map {
                try Data(contentsOf: folder.appending(path: "\($0)/\(file)"))
            }
            // Not the contents themselves: where they differ, a test would look for how, for hours.
            let isSame = contents[0] == contents[1]
            #expect(isSame, "\(file)")
        }
    }

    private func start(
        _ name: String,
        rounds: Int,
        in folder: URL,
        faults: String? = nil,
        // One trainer, a plain mean, one batch at a time: nothing depends on who is quicker.
        settings: [String] = ["cluster.lead_batches=1"]
    ) throws -> Process {
        let config = folder.appending(path: "\(name).yaml")
        try SmallRun.configuration.write(to: config, atomically: true, encoding: .utf8)
        let run = folder.appending(path: name).path()
        let arguments =
            [
                "local", "--config", config.path(), "--run", run, "--lanes", "1",
                "--set", "training.rounds=\(rounds)", "--set", "evaluation.prompts=2",
                // Every process that begins anew has the past of the one before.
                "--set", "cluster.averaging.moments_period=1",
            ] + settings.flatMap { ["--set", $0] }
        let environment = faults.map { ["FLOWSTEER_FAULT": $0] } ?? [:]
        return try Program.start(arguments, in: folder, name: name, environment: environment)
    }

    /// How many trainers' processes began when a round was open.
    private func trainersBegun(afterOpening round: Int, in run: URL) throws -> Int {
        let log = try lines(of: "events.jsonl", in: run)
        let begin = try #require(log.firstIndex { $0.contains(#""kind":"roundOpened","round":\#(round),"#) })
        return log[begin...].filter { $0.contains(#""kind":"joined""#) && $0.contains("trainer-1") }.count
    }

    private func events(_ kind: String, in run: URL) throws -> [Substring] {
        try lines(of: "events.jsonl", in: run).filter { $0.contains(#""kind":"\#(kind)""#) }
    }

    private func lines(of name: String, in run: URL) throws -> [Substring] {
        try String(contentsOf: run.appending(path: name), encoding: .utf8).split(whereSeparator: \.isNewline)
    }
}
