import Foundation
import TestSupport
import Testing

/// What a person says to a run that is going on, in another terminal.
@Suite(.serialized, .timeLimit(.minutes(5))) struct OperatorVerbTests {
    /// What one person's command came to.
    private func say(_ words: String..., in folder: URL) throws -> Program.Outcome {
        let own = folder.appending(path: "person")
        try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
        return try Program.run(words, in: own)
    }

    private func start(in folder: URL) throws -> Process {
        let config = folder.appending(path: "run.yaml")
        try SmallRun.configuration.write(to: config, atomically: true, encoding: .utf8)
        return try Program.start(
            [
                "local", "--config", config.path(), "--run", folder.appending(path: "run").path(),
                "--rollouts", "2", "--lanes", "1", "--set", "evaluation.prompts=2",
                // Nobody lives to see the end of such a round.
                "--set", "training.local_steps=100000",
            ],
            in: folder
        )
    }

    /// What the run itself complained of.
    private func errors(in folder: URL) -> String { (try? Program.text("program.err", in: folder)) ?? "" }

    @Test func `a person watches, pauses, resumes, checkpoints and drains a run with nothing but its folder`()
        async throws
    {
        try await withTemporaryFolder { folder in
            let program = try start(in: folder)
            defer { if program.isRunning { program.terminate() } }
            let run = folder.appending(path: "run").path()
            func status() throws -> String { try say("status", "--run", run, in: folder).output }
            // Trained once, so that there is something to commit.
            _ = try await eventually {
                try #require(program.isRunning, "\(errors(in: folder))")
                return try status().contains("training, ") && !status().contains("training, 0 samples")
                    ? true : nil
            }
            let key = try FileManager.default.attributesOfItem(atPath: "\(run)/keys/operator.key")
            #expect(key[.posixPermissions] as? NSNumber == 0o600)

            let paused = try say("pause", "--run", run, in: folder)
            #expect(paused.exitCode == 0 && paused.output.contains(": paused, round 0 of 4"), "\(paused)")
            #expect(paused.output.contains("waiting    the run is paused"), "\(paused)")
            let early = try say("checkpoint", "--now", "--run", run, in: folder)
            #expect(early.exitCode == 77 && early.errors.contains("paused"), "\(early)")
            let resumed = try say("resume", "--run", run, in: folder)
            #expect(resumed.exitCode == 0 && resumed.output.contains(": running, round 0 of 4"), "\(resumed)")

            let checkpoint = try say("checkpoint", "--now", "--run", run, in: folder)
            #expect(checkpoint.exitCode == 0, "\(checkpoint)")
            #expect(checkpoint.output == "round 1 is committed\n", "\(checkpoint)")
            let list = try say("checkpoint", "verify", run, in: folder)
            #expect(list.exitCode == 0 && list.output.contains("round 1 "), "\(list)")

            let unknown = try say("drain", "nobody", "--run", run, in: folder)
            #expect(unknown.exitCode == 64 && unknown.errors.contains("rollout-2"), "\(unknown)")
            let node = try say("drain", "rollout-2", "--run", run, in: folder)
            #expect(node.exitCode == 0, "\(node)")
            // It serves what it made until that is committed; where all of it is, it has left at once.
            _ = try await eventually {
                let status = try status()
                return status.contains(/trainers have its [0-9]+ batches, then leaves/)
                    || status.contains("rollout-2, rollout, left") ? true : nil
            }

            _ = try await eventually { try status().contains("training, ") ? true : nil }
            let drain = try say("drain", "--run", run, in: folder)
            #expect(drain.exitCode == 0 && drain.output.contains(": draining, round 1 of 4"), "\(drain)")
            let last = try say("checkpoint", "--now", "--run", run, in: folder)
            #expect(last.exitCode == 0 && last.output == "round 2 is committed\n", "\(last)")
            while program.isRunning { try await Task.sleep(for: .milliseconds(50)) }
            #expect(program.terminationStatus == 0, "\(errors(in: folder))")

            let ended = try say("status", "--run", run, in: folder)
            #expect(ended.exitCode == 0 && ended.output.contains(": finished, round 2 of "), "\(ended)")
            let over = try say("pause", "--run", run, "--patience", "1", in: folder)
            #expect(over.exitCode == 69 && over.errors.contains("no answer from the coordinator"), "\(over)")
        }
    }

    @Test func `a key that is no operator's, a stranger's or none commands nothing`() async throws {
        try await withTemporaryFolder { folder in
            let program = try start(in: folder)
            defer { if program.isRunning { program.terminate() } }
            let run = folder.appending(path: "run").path()
            _ = try await eventually {
                try #require(program.isRunning, "\(errors(in: folder))")
                return try say("status", "--run", run, in: folder).exitCode == 0 ? true : nil
            }
            let trainer = "\(run)/keys/trainer-1.key"
            let stranger = folder.appending(path: "stranger").path()
            #expect(try say("keygen", "--out", stranger, in: folder).exitCode == 0)
            for words in [["status"], ["pause"], ["resume"], ["drain"], ["checkpoint", "--now"]] {
                let more = ["--run", run, "--keys", trainer]
                let outcome = try Program.run(words + more, in: folder.appending(path: "person"))
                #expect(outcome.exitCode == 77, "\(words): \(outcome)")
                #expect(outcome.errors.contains("a trainer may not say"), "\(words): \(outcome)")
            }
            let unknown = try say(
                "pause",
                "--run",
                run,
                "--keys",
                stranger + ".key",
                "--patience",
                "1",
                in: folder
            )
            #expect(unknown.exitCode == 69 && unknown.errors.contains("does not list"), "\(unknown)")
            let none = try say("pause", in: folder)
            #expect(none.exitCode == 64 && none.errors.contains("--keys"), "\(none)")
            let status = try say("status", "--run", run, in: folder)
            #expect(status.output.contains(": running"), "nobody paused it: \(status)")
            program.terminate()
            while program.isRunning { try await Task.sleep(for: .milliseconds(50)) }
        }
    }

    @Test func `where no coordinator works a command says so at once`() async throws {
        try await withTemporaryFolder { folder in
            let outcome = try say("status", "--run", folder.path(), in: folder)
            #expect(
                outcome.exitCode == 69 && outcome.errors.contains("no coordinator works here"),
                "\(outcome)"
            )
        }
    }

    @Test func `a run's folder that cannot be made is an error of input and output`() async throws {
        try await withTemporaryFolder { folder in
            let config = folder.appending(path: "run.yaml")
            try SmallRun.configuration.write(to: config, atomically: true, encoding: .utf8)
            let outcome = try say("local", "--config", config.path(), "--run", "/dev/null/run", in: folder)
            #expect(outcome.exitCode == 74 && outcome.errors.contains("/dev/null/run"), "\(outcome)")
        }
    }
}
