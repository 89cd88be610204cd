import Foundation
import TestSupport
import Testing

/// `flowsteer evaluate` beside what the report of a local run shows.
@Suite struct EvaluateVerbTests {
    @Test func `the scene score checks itself on clean scenes`() async throws {
        try await withTemporaryFolder { folder in
            let sprites = Repository.root + "Cluster/teacher/sprites.json"
            let outcome = try Program.run(
                ["evaluate", "scenes", "--sprites", sprites, "--self-check", "--count", "12"],
                in: folder
            )
            #expect(outcome.exitCode == 0, "\(outcome.errors)")
            #expect(outcome.output.contains("clean"))
        }
    }

    @Test func `pictures are drawn once, and what cannot be drawn is said before anything is`() async throws {
        try await withTemporaryFolder { folder in
            let out = folder.appending(path: "geneval").path()
            let words = [
                "evaluate", "--model", Repository.teacher, "--layout", "geneval", "--steps", "1", "--samples",
                "1",
                "--prompts", "2", "--out", out,
            ]
            for drawn in [2, 0] {
                let outcome = try Program.run(words, in: folder)
                #expect(outcome.exitCode == 0, "\(outcome.errors)")
                #expect(outcome.output.contains("\(drawn) pictures drawn"), "\(outcome.output)")
            }
            let other = try Program.run(words + ["--seed", "1"], in: folder)
            #expect(other.exitCode == 65)
            #expect(other.errors.contains("geneval.settings.json"), "\(other.errors)")
            let nowhere = try Program.run(Array(words.dropLast(2)), in: folder)
            #expect(nowhere.exitCode == 64)
            #expect(nowhere.errors.contains("--out"), "\(nowhere.errors)")
            let part = try Program.run(words + ["--share", "2/2"], in: folder)
            #expect(part.exitCode == 64)
            #expect(part.errors.contains("--share is 2/2"), "\(part.errors)")
        }
    }
}
