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

    @Test func `a study trains its students, goes on where it was killed, and draws them under the teacher`()
        async throws
    {
        try await withTemporaryFolder { folder in
            let out = folder.appending(path: "ablation").path()
            let file = folder.appending(path: "small.yaml")
            try SmallRun.configuration.write(to: file, atomically: true, encoding: .utf8)
            let words = [
                "study", "ablation", "--config", file.path(), "--out", out, "--seeds", "1", "--prompts", "2",
                "--rounds", "1", "--local-steps", "4", "--set", "evaluation.guidance=1",
            ]
            // Killed with two students trained, one of them measured.
            let first = try Program.start(words, in: folder)
            defer { if first.isRunning { first.terminate() } }
            let cell = "\(out)/cells/PeRFlow-seed-5.json"
            while first.isRunning, !FileManager.default.fileExists(atPath: cell) {
                try await Task.sleep(for: .milliseconds(20))
            }
            kill(first.processIdentifier, SIGKILL)
            first.waitUntilExit()
            let measured = try Data(contentsOf: URL(filePath: cell))

            let outcome = try Program.run(words, in: folder)
            #expect(outcome.exitCode == 0, "\(outcome.errors)")
            #expect(!outcome.output.contains("measuring seed 5: PeRFlow\n"), "\(outcome.output)")
            #expect(outcome.output.contains("measuring seed 5: FlowSteer\n"), "\(outcome.output)")
            #expect(try Data(contentsOf: URL(filePath: cell)) == measured)

            let table = try String(contentsOfFile: "\(out)/table.md", encoding: .utf8)
            #expect(table.contains("trained on 16 samples"), "\(table)")
            #expect(table.contains("| FlowSteer | 4 | "), "\(table)")
            #expect(table.contains("| FlowSteer | 16 | "), "the samples it was trained on: \(table)")
            // Seven rows of two pictures.
            #expect(try size(ofPNG: "\(out)/samples.png").height > 7 * 3 * 32)
            #expect(try size(ofPNG: "\(out)/plot.png").width > 600)
            // The teacher's settings have not changed it, so what is random has not either.
            try FileManager.default.removeItem(atPath: cell)
            try FileManager.default.removeItem(atPath: "\(out)/runs/PeRFlow-seed-5")
            let again = try Program.run(words, in: folder)
            #expect(again.exitCode == 0, "\(again.errors)")
            #expect(
                try figures(Data(contentsOf: URL(filePath: cell))) == figures(measured),
                "the same student again"
            )
        }
    }

    /// From a picture's header.
    private func size(ofPNG path: String) throws -> (width: Int, height: Int) {
        let header = try Data(contentsOf: URL(filePath: path)).prefix(24)
        try #require(header.count == 24)
        func number(_ start: Int) -> Int { header[start..<start + 4].reduce(0) { $0 << 8 | Int($1) } }
        return (number(16), number(20))
    }

    /// What a cell says of pictures; how often the teacher was asked depends on who was faster.
    private func figures(_ cell: Data) throws -> [String] {
        let lines = String(decoding: cell, as: UTF8.self).split(separator: "{").map(String.init)
        #expect(lines.count > 4)
        return lines.filter { !$0.contains("training, evaluations of the teacher") }
    }

    @Test func `a study that there is not, or of no seed, is wrong usage`() async throws {
        try await withTemporaryFolder { folder in
            let preset = Repository.root + "Cluster/emoji.yaml"
            for (words, part) in [
                (["study", "weather", "--config", preset, "--out", "x"], "scheduler"),
                (["study", "mismatch", "--config", preset, "--out", "x", "--seeds", "0"], "--seeds is 0"),
                (["study", "main", "--config", preset, "--out", "x", "--rounds", "0"], "--rounds is 0"),
                (
                    ["study", "scheduler", "--config", preset, "--out", "x", "--rounds", "1"],
                    "not of scheduler"
                ),
            ] {
                let outcome = try Program.run(words, in: folder)
                #expect(outcome.exitCode == 64)
                #expect(outcome.errors.contains(part), "\(outcome.errors)")
            }
            let row = ["--for", "dmd:training.huber=1"]
            let refused = try Program.run(
                ["study", "main", "--config", preset, "--out", "x"] + row,
                in: folder
            )
            #expect(refused.exitCode == 78 && refused.errors.contains("training.huber"), "\(refused.errors)")
        }
    }
}
