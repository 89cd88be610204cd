import Foundation
import TestSupport
import Testing

/// `flowsteer study` on the shipped teacher, with a single prompt.
@Suite struct StudyVerbTests {
    @Test func `a study writes its table, and finds it done when it is asked again`() async throws {
        try await withTemporaryFolder { folder in
            let out = folder.appending(path: "scheduler").path()
            let words = [
                "study", "scheduler", "--config", Repository.root + "Cluster/emoji.yaml", "--out", out,
                "--seeds", "1",
                "--set", "evaluation.prompts=1", "--set", "evaluation.guidance=1",
            ]
            for isFirst in [true, false] {
                let outcome = try Program.run(words, in: folder)
                #expect(outcome.exitCode == 0, "\(outcome.errors)")
                #expect(outcome.output.contains("measuring seed 0: stock, N = 28") == isFirst)
                #expect(outcome.output.contains("rectified, N = 8"))
            }
            let table = try String(contentsOfFile: "\(out)/table.md", encoding: .utf8)
            #expect(table.contains("| rectified, N = 28 | 28 | "), "\(table)")

            let other = try Program.run(words + ["--set", "evaluation.prompts=2"], in: folder)
            #expect(other.exitCode == 65)
            #expect(other.errors.contains("\(out)/study.json"), "\(other.errors)")
        }
    }

    @Test func `a study that there is not, or of no seed, is wrong usage`() async throws {
        try await withTemporaryFolder { folder in
            let preset = Repository.root + "Cluster/emoji.yaml"
            for (words, part) in [
                (["study", "weather", "--config", preset, "--out", "x"], "scheduler"),
                (["study", "mismatch", "--config", preset, "--out", "x", "--seeds", "0"], "--seeds is 0"),
            ] {
                let outcome = try Program.run(words, in: folder)
                #expect(outcome.exitCode == 64)
                #expect(outcome.errors.contains(part), "\(outcome.errors)")
            }
        }
    }
}
