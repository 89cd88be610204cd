import Distillation
import Evaluation
import FlowMatching
import Foundation
import TestSupport
import Testing

@testable import ClusterRuntime

/// Studies of the shipped teacher, on as few prompts as there can be.
struct StudyRunTests {
    private let path = FileManager.default.temporaryDirectory.appending(path: "study-\(UUID())").path()

    private func configuration(prompts: Int = 1, segments: Int = 4) throws -> RunConfiguration {
        let yaml = """
            model: \(Repository.teacher)
            seed: 3
            trajectory: {segments: \(segments)}
            evaluation: {prompts: \(prompts), guidance: 1}
            """
        return try RunConfiguration(yaml: yaml, path: "\(path)/study.yaml")
    }

    /// Measures a study; its table, and what was measured for it.
    private func measure(_ study: Study, prompts: Int = 1, seeds: Int = 1) async throws -> (
        table: StudyTable, measured: [String]
    ) {
        let run = StudyRun(
            study,
            configuration: try configuration(prompts: prompts),
            folder: StudyFolder(path),
            training: StudyTraining(configurationPath: "", overrides: [], executable: ""),
            seedCount: seeds,
            lanes: 2
        )
        let (rows, continuation) = AsyncStream.makeStream(of: String.self)
        let table = try await run.measure(progress: continuation)
        return (table, await rows.reduce(into: []) { $0.append($1) })
    }

    private let small = Study(
        name: .mismatch,
        summary: "Two rows.",
        rows: [
            Study.Row(label: "whole", work: .draw(.resume(step: 0, guidance: 1))),
            Study.Row(label: "mixed, late", work: .draw(.resume(step: 24, guidance: 1))),
            Study.Row(label: "one step", work: .draw(.sample(.rectified, steps: 1))),
        ]
    )

    @Test func `cells that are there are not measured again, and more seeds only add theirs`() async throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let first = try await measure(small)
        #expect(first.measured == ["seed 3: whole", "seed 3: mixed, late", "seed 3: one step"])
        #expect(first.table.rows.map(\.label) == ["whole", "mixed, late", "one step"])

        // As after a kill in the middle of the second seed.
        let both = try await measure(small, seeds: 2)
        #expect(both.measured == ["seed 4: whole", "seed 4: mixed, late", "seed 4: one step"])
        try FileManager.default.removeItem(atPath: "\(path)/cells/mixed-late-seed-4.json")
        let again = try await measure(small, seeds: 2)
        #expect(again.measured == ["seed 4: mixed, late"])
        #expect(again.table == both.table)

        let written = try Data(contentsOf: URL(filePath: "\(path)/table.json"))
        #expect(try JSONDecoder().decode(StudyTable.self, from: written) == both.table)
        let text = try String(contentsOfFile: "\(path)/table.md", encoding: .utf8)
        #expect(text.contains("| mixed, late | 8 | "), "\(text)")

        func figure(_ row: Int, _ metric: String) throws -> SeedStatistics {
            try #require(both.table.rows[row].figures.first { $0.metric == metric }).statistics
        }
        #expect(try figure(0, "distance to teacher").values == [0, 0])
        #expect(try figure(1, "distance to teacher").values.allSatisfy { $0 > 0 })
        #expect(try figure(0, "evaluations").mean == 32)
        #expect(try figure(2, "evaluations").mean == 1)
    }

    @Test func `a folder of other settings, or with a spoiled cell, is refused`() async throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let study = Study(name: .mismatch, summary: "", rows: [small.rows[2]])
        _ = try await measure(study)
        await #expect(throws: StudyError.otherStudy(settings: "\(path)/study.json")) {
            _ = try await measure(study, prompts: 2)
        }
        await #expect(throws: StudyError.otherStudy(settings: "\(path)/study.json")) {
            _ = try await measure(small)
        }
        let cell = "\(path)/cells/one-step-seed-3.json"
        try Data("{}".utf8).write(to: URL(filePath: cell))
        await #expect(throws: StudyError.unreadable(path: cell)) { _ = try await measure(study) }
    }

    @Test func `segments that are gone on with start where the reference's steps do`() throws {
        let scheduler = Study(.scheduler, of: try configuration())
        #expect(scheduler.rows.count == 12)
        let mismatch = Study(.mismatch, of: try configuration(segments: 4))
        #expect(
            mismatch.rows.prefix(4).map(\.work)
                == [0, 8, 16, 24].map { .draw(.resume(step: $0, guidance: 1)) }
        )
        #expect(mismatch.rows.count == 12)
        // Thirty-two steps have no six equal parts.
        #expect(Study(.mismatch, of: try configuration(segments: 6)).rows.count == 12)
        #expect(Study(.mismatch, of: try configuration(segments: 1)).rows.count == 3)
    }

    @Test func `what a row overrides is for its method`() throws {
        let rows = Study(.compute, of: try configuration()).rows
        #expect(rows.map(\.label) == Method.allCases.map(\.rawValue))
        for row in rows {
            guard case .train(let texts) = row.work else { throw StudyError.unreadable(path: row.label) }
            let overrides = try texts.map { try #require(ConfigurationOverride($0)) }
            let preset = Repository.root + "Cluster/emoji.yaml"
            let configuration = try RunConfiguration(file: preset, overrides: overrides)
            #expect(configuration.training.method.rawValue == row.label)
        }
    }
}
