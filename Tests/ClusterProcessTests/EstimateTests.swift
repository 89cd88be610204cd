import Foundation
import TestSupport
import Testing

/// What `flowsteer doctor` tells of a run's memory, disk and wire, against what the run's processes took.
@Suite(.serialized, .timeLimit(.minutes(10))) struct EstimateTests {
    private struct Report: Decodable {
        struct Entry: Decodable {
            let role: String
            let peakMemoryBytes: Int
        }
        struct Costs: Decodable {
            struct Plane: Decodable {
                let name: String
                let receivedBytes: Int
            }
            let planes: [Plane]
            let trajectoryBytes: Int
        }
        let processes: [Entry]
        let costs: Costs
    }

    /// Rounds of which every third averages moments, as configurations have it where they do not say.
    private static let rounds = 6

    /// The toy is process almost alone; of the other, networks are most, and text encoders that no cache spares.
    @Test(arguments: [(heads: 2, encoders: 16), (heads: 10, encoders: 384)])
    func `a run takes what doctor told within a tenth`(size: (heads: Int, encoders: Int)) async throws {
        try await withTemporaryFolder { folder in
            let model = try makeModel(heads: size.heads, encoders: size.encoders, in: folder)
            let config = folder.appending(path: "run.yaml")
            try SmallRun.configuration.write(to: config, atomically: true, encoding: .utf8)
            let run = folder.appending(path: "run")
            let sprites = "\(Repository.root)Cluster/teacher/sprites.json"
            let settings = [
                "model=\(model)", "prompts.path=\(sprites)", "student.mode=full", "evaluation.prompts=2",
                "training.rounds=\(Self.rounds)", "training.local_steps=4",
            ]
            let words =
                ["--config", config.path(), "--rollouts", "1", "--trainers", "1", "--lanes", "1"]
                + settings.flatMap { ["--set", $0] }
            let told = try Program.run(["doctor", "--model", model] + words, in: folder)
            try #require(told.exitCode == 0, "\(told.errors)")
            let outcome = try Program.run(["local", "--run", run.path(), "--no-http"] + words, in: folder)
            try #require(outcome.exitCode == 0, "\(outcome.errors)")
            let report = try JSONDecoder().decode(
                Report.self,
                from: Data(contentsOf: run.appending(path: "report.json"))
            )

            func expect(
                _ found: Int,
                near pattern: String,
                times: Int = 1,
                orWithin slack: Double = 0,
                sourceLocation: SourceLocation = #_sourceLocation
            ) throws {
                let expected = try bytes(pattern, in: told.output) * Double(times)
                #expect(
                    abs(expected - Double(found)) <= max(0.1 * Double(found), slack),
                    "\(found) where \(expected) are told by '\(pattern)': \(told.output)",
                    sourceLocation: sourceLocation
                )
            }
            #expect(report.processes.count == 3)
            for process in report.processes {
                // 8 MiB more or less are a process's own: its build, and where allocations fall.
                try expect(
                    process.peakMemoryBytes,
                    near: "\n\(process.role): (AMOUNT) of memory",
                    orWithin: 8_388_608
                )
            }
            for role in ["rollout", "trainer"] {
                let checkpoints = run.appending(path: "workers/\(role)-1/checkpoints")
                try expect(byteCount(in: checkpoints), near: "\n\(role): .*, (AMOUNT) of disk")
            }
            let offers = try #require(report.costs.planes.first { $0.name == "averaging" })
            try expect(
                offers.receivedBytes,
                near: "(AMOUNT) between each trainer and the coordinator",
                times: Self.rounds
            )
            try expect(report.costs.trajectoryBytes, near: "(AMOUNT) of trajectories", times: Self.rounds)
        }
    }

    /// A model of the shipped teacher's kind with weights drawn anew, in 16-bit floats.
    private func makeModel(heads: Int, encoders: Int, in folder: URL) throws -> String {
        let outline = try SmallModel(layers: 3)
        try outline.edit("transformer/config.json") {
            $0["num_attention_heads"] = heads
            $0["caption_projection_dim"] = 16 * heads
            $0["joint_attention_dim"] = 2 * encoders
        }
        for encoder in ["text_encoder", "text_encoder_2"] {
            try outline.edit("\(encoder)/config.json") {
                $0["hidden_size"] = encoders
                $0["intermediate_size"] = 4 * encoders
            }
        }
        let out = folder.appending(path: "made").path()
        let made = try Program.run(
            [
                "pretrain", "--from-scratch", outline.path, "--scenes", "--sprites",
                Repository.root + "Cluster/teacher/sprites.json", "--out", out, "--steps", "1", "--batch",
                "1", "--warmup", "1", "--lanes", "1",
            ],
            in: folder
        )
        try #require(made.exitCode == 0, "\(made.errors)")
        return "\(out)/model"
    }

    /// The amount in a text that stands where a pattern says `AMOUNT`.
    private func bytes(_ pattern: String, in text: String) throws -> Double {
        let expression = try Regex(
            pattern.replacingOccurrences(of: "AMOUNT", with: "[0-9.]+ [KMG]iB"),
            as: (Substring, Substring).self
        )
        let words = try #require(text.firstMatch(of: expression), "\(pattern): \(text)").output.1
            .split(separator: " ")
        let unit = ["KiB": 1024.0, "MiB": 1_048_576.0, "GiB": 1_073_741_824.0][words[1]]
        return try #require(Double(words[0])) * #require(unit)
    }

    /// Bytes of the files below a folder, each once, however many names it has.
    private func byteCount(in folder: URL) throws -> Int {
        let files = FileManager.default
        var counts: [Int: Int] = [:]
        for name in try files.subpathsOfDirectory(atPath: folder.path()) {
            let attributes = try files.attributesOfItem(atPath: folder.appending(path: name).path())
            guard attributes[.type] as? FileAttributeType == .typeRegular else { continue }
            let number = try #require(attributes[.systemFileNumber] as? Int)
            counts[number] = attributes[.size] as? Int
        }
        return counts.values.reduce(0, +)
    }
}
