import Foundation
import TestSupport
import Testing

/// `flowsteer pretrain` as people start and stop it.
@Suite struct PretrainVerbTests {
    private func words(_ model: String, out: String, steps: Int = 5) -> [String] {
        [
            "pretrain", "--from-scratch", model, "--scenes", "--sprites",
            Repository.root + "Cluster/teacher/sprites.json", "--out", out, "--steps", "\(steps)", "--batch",
            "2", "--warmup", "1", "--save-every", "1000000", "--lanes", "1",
        ]
    }

    @Test func `a model is trained from its settings alone, and drawn with`() async throws {
        let small = try SmallModel(layers: 1)
        try await withTemporaryFolder { folder in
            let out = folder.appending(path: "run").path()
            let outcome = try Program.run(words(small.path, out: out), in: folder)
            #expect(outcome.exitCode == 0, "\(outcome.errors)")
            #expect(outcome.output.contains("step 5/5  loss"), "\(outcome.output)")
            let drawn = try Program.run(
                [
                    "sample", "--model", "\(out)/model", "--prompt", "a cat", "--out",
                    folder.appending(path: "p").path(),
                ],
                in: folder
            )
            #expect(drawn.exitCode == 0, "\(drawn.errors)")
        }
    }

    @Test(arguments: [(SIGTERM, Int32(0)), (SIGINT, Int32(75))])
    func `a signal lets it keep its state, and the same command goes on`(signal: Int32, exit: Int32)
        async throws
    {
        let small = try SmallModel(layers: 1)
        try await withTemporaryFolder { folder in
            let out = folder.appending(path: "run").path()
            let endless = words(small.path, out: out, steps: 1_000_000)
            let first = try Program.start(endless, in: folder)
            defer { if first.isRunning { first.terminate() } }
            _ = try await eventually {
                try Program.text("program.out", in: folder).contains("step ") ? true : nil
            }
            kill(first.processIdentifier, signal)
            first.waitUntilExit()
            let errors = try Program.text("program.err", in: folder)
            #expect(first.terminationStatus == exit, "\(errors)")
            let said = try Program.text("program.out", in: folder)
            let step = try #require(said.firstMatch(of: /stopped at step (\d+)/)?.output.1, "\(said)")

            let second = try Program.start(endless, in: folder, name: "second")
            defer { if second.isRunning { second.terminate() } }
            _ = try await eventually {
                try Program.text("second.out", in: folder).contains("at step \(step) of") ? true : nil
            }
            kill(second.processIdentifier, SIGKILL)
            second.waitUntilExit()
        }
    }

    @Test func `wrong usage is told with the option`() async throws {
        try await withTemporaryFolder { folder in
            let right = words("model", out: "out")
            for (wrong, part) in [
                (right + ["--continue", "other"], "expected --continue or --from-scratch"),
                (right + ["--pictures", "photos"], "expected --scenes or --pictures"),
                (right + ["--learning-rate=-1"], "--learning-rate is -1"),
                (right + ["--caption-dropout", "2"], "--caption-dropout is 2"),
                (right + ["--tasks", "0.5,0.5"], "'0.5,0.5' is invalid for '--tasks"),
                (right + ["--tasks", "1,0,0,0,0,x"], "'1,0,0,0,0,x' is invalid for '--tasks"),
                (
                    [
                        "pretrain", "--from-scratch", "model", "--pictures", "photos", "--out", "out",
                        "--steps", "1",
                        "--tasks", "1,0,0,0,0,0",
                    ], "--tasks is of --scenes"
                ),
            ] {
                let outcome = try Program.run(wrong, in: folder)
                #expect(outcome.exitCode == 64)
                #expect(outcome.errors.contains(part), "\(outcome.errors)")
            }
            let absent = try Program.run(right, in: folder)
            #expect(absent.exitCode == 65 && absent.errors.contains("model_index.json"), "\(absent.errors)")
        }
    }
}
