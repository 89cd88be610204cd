import Foundation
import TestSupport
import Testing

/// A whole run on real processes: coordinator, rollouts and trainers, one of which is killed.
@Suite(.serialized, .timeLimit(.minutes(10))) struct LocalRunTests {
    private struct Report: Decodable {
        struct Row: Decodable {
            struct Distance: Decodable {
                let mean: Double
                let low: Double
                let high: Double
            }
            let method: String
            let functionEvaluations: Int
            let distanceToTeacher: Distance
            let sceneScore: Score
            let frechetDistance: Double
            let diversity: Distance
        }
        struct Score: Decodable {
            struct Task: Decodable {
                let task: String
                let total: Int
            }
            let overall: Double
            let tasks: [Task]
        }
        struct Entry: Decodable {
            struct Seconds: Decodable {
                let compute: Double
                let wait: Double
                let wire: Double
            }
            let role: String
            let peakMemoryBytes: Int
            let seconds: Seconds
        }
        let evaluation: [Row]
        let processes: [Entry]
    }

    @Test func `a run goes on when a rollout is killed, and ends with a report and a student`() async throws {
        try await withTemporaryFolder { folder in
            let config = folder.appending(path: "run.yaml")
            try SmallRun.configuration.write(to: config, atomically: true, encoding: .utf8)
            let run = folder.appending(path: "run")
            let program = try Program.start(
                [
                    "local", "--config", config.path(), "--run", run.path(), "--rollouts", "2", "--trainers",
                    "1",
                ],
                in: folder
            )
            defer { if program.isRunning { program.terminate() } }
            let victim = try await eventually { try children(of: program, role: "rollout-worker").first }
            // It has said hello once the coordinator has an event of it.
            _ = try await eventually { try? text(run, "events.jsonl").contains("joined") ? true : nil }
            kill(victim, SIGKILL)
            while program.isRunning { try await Task.sleep(for: .milliseconds(50)) }
            let errors = try Program.text("program.err", in: folder)
            #expect(program.terminationStatus == 0, "\(errors)")

            let data = try Data(contentsOf: run.appending(path: "report.json"))
            let report = try JSONDecoder().decode(Report.self, from: data)
            let methods = [
                "teacher-32", "teacher-4-stock", "teacher-4-rectified", "student-initial", "student",
            ]
            #expect(report.evaluation.map(\.method) == methods)
            #expect(report.evaluation[0].frechetDistance < 1e-6)
            for row in report.evaluation {
                #expect(row.distanceToTeacher.low <= row.distanceToTeacher.mean)
                #expect(row.distanceToTeacher.mean <= row.distanceToTeacher.high)
                #expect((0...1).contains(row.sceneScore.overall))
                #expect(row.sceneScore.tasks.map(\.total) == [1, 1, 1, 1, 1, 1])
                #expect(row.diversity.mean > 0)
            }
            #expect(Set(report.processes.map(\.role)) == ["coordinator", "rollout", "trainer"])
            #expect(report.processes.allSatisfy { $0.peakMemoryBytes > 1 << 20 })
            let page = try text(run, "report.html")
            #expect(page.contains("data:image/png;base64,iVBORw0KGgo") && page.contains("<svg"))
            for name in ["report.md", "samples.png", "student/pytorch_lora_weights.safetensors"] {
                #expect(FileManager.default.fileExists(atPath: run.appending(path: name).path()), "\(name)")
            }
            for node in ["rollout-1", "rollout-2", "trainer-1"] {
                let folder = run.appending(path: "workers/\(node)/checkpoints").path()
                let fetched = try FileManager.default.contentsOfDirectory(atPath: folder)
                #expect(fetched.contains { $0.hasPrefix("round-") }, "\(node) fetched \(fetched)")
            }
            #expect(try children(of: program, role: "").isEmpty)
        }
    }

    @Test func `a run of a full student ends with a transformer, and has no adapters to export`() async throws
    {
        try await withTemporaryFolder { folder in
            let config = folder.appending(path: "run.yaml")
            try SmallRun.configuration.write(to: config, atomically: true, encoding: .utf8)
            let run = folder.appending(path: "run")
            let settings = ["student.mode=full", "training.rounds=2", "evaluation.prompts=2"]
            let outcome = try Program.run(
                [
                    "local", "--config", config.path(), "--run", run.path(), "--rollouts", "1", "--trainers",
                    "1",
                ]
                    + settings.flatMap { ["--set", $0] },
                in: folder
            )
            #expect(outcome.exitCode == 0, "\(outcome.errors)")
            let transformer = "student/transformer/diffusion_pytorch_model.safetensors"
            for name in [transformer, "student/transformer/config.json", "student/scheduler_config.json"] {
                #expect(FileManager.default.fileExists(atPath: run.appending(path: name).path()), "\(name)")
            }
            #expect(try text(run, "student/README.md").contains("SD3Transformer2DModel"))

            // The exported student and the checkpoint's are one.
            let pictures = try ["student", "checkpoints/round-000002"].map { student in
                let out = folder.appending(path: UUID().uuidString)
                let outcome = try Program.run(
                    [
                        "sample", "--model", Repository.teacher, "--prompt", "a cat", "--out", out.path(),
                        "--student", run.appending(path: student).path(),
                    ],
                    in: folder
                )
                #expect(outcome.exitCode == 0, "\(outcome.errors)")
                let names = try FileManager.default.contentsOfDirectory(atPath: out.path()).sorted()
                return try names.map { try Data(contentsOf: out.appending(path: $0)) }
            }
            #expect(pictures[0] == pictures[1] && !pictures[0].isEmpty)

            let out = folder.appending(path: "exported")
            let words = ["checkpoint", "export", run.path(), "--out", out.path()]
            let refused = try Program.run(words, in: folder)
            #expect(refused.exitCode == 64 && refused.errors.contains("expected --merged"), "\(refused)")
            let scaled = try Program.run(words + ["--merged", "--scale", "0.5"], in: folder)
            #expect(scaled.exitCode == 64 && scaled.errors.contains("--scale is of adapters"), "\(scaled)")
            #expect(!FileManager.default.fileExists(atPath: out.path()))
            let merged = try Program.run(words + ["--merged"], in: folder)
            #expect(merged.exitCode == 0, "\(merged.errors)")
            let exported = "transformer/diffusion_pytorch_model.safetensors"
            #expect(
                try Data(contentsOf: out.appending(path: exported))
                    == Data(contentsOf: run.appending(path: transformer))
            )
        }
    }

    private func text(_ run: URL, _ name: String) throws -> String {
        try String(contentsOf: run.appending(path: name), encoding: .utf8)
    }
}
