import Coordination
import DiffusionModels
import Distillation
import Evaluation
import FlowMatching
import Foundation
import NeuralNetwork
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

    @Test func `operations are counted of each run with its own settings, and of nothing else`() throws {
        let base = try configuration()
        let study = Study(.compute, of: base)
        var asked: [[String]] = []
        let counted = study.counting {
            asked.append($0)
            return base
        } operations: { _ in
            Study.Operations(evaluation: 2, sample: Double(asked.count))
        }
        #expect(asked.map(\.first) == Method.allCases.map { "method=\($0.rawValue)" })
        for (index, (row, counted)) in zip(study.rows, counted.rows).enumerated() {
            guard case .train(let overrides, nil) = row.work else {
                Issue.record("\(row)")
                continue
            }
            let operations = Study.Operations(evaluation: 2, sample: Double(index + 1))
            #expect(counted.work == .train(overrides: overrides, operations: operations))
        }
        let drawn = small.counting { _ in
            base
        } operations: { _ in
            .init(evaluation: 1, sample: 1)
        }
        #expect(drawn.rows == small.rows)
    }

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
            guard case .train(let texts, _) = row.work else {
                throw StudyError.unreadable(path: row.label)
            }
            let overrides = try texts.map { try #require(ConfigurationOverride($0)) }
            let preset = Repository.root + "Cluster/emoji.yaml"
            let configuration = try RunConfiguration(file: preset, overrides: overrides)
            #expect(configuration.training.method.rawValue == row.label)
        }
    }

    /// The emoji preset with overrides.
    private func configuration(_ overrides: [String]) throws -> RunConfiguration {
        let overrides = try overrides.map { try #require(ConfigurationOverride($0)) }
        return try RunConfiguration(file: Repository.root + "Cluster/emoji.yaml", overrides: overrides)
    }

    /// What a row's student is trained with, on the emoji preset.
    private func resolved(_ row: Study.Row) throws -> RunConfiguration? {
        guard case .distil(let training) = row.work else { return nil }
        return try configuration(training.overrides)
    }

    @Test func `all students of a study train on equally many samples, and longer or shorter in proportion`()
        throws
    {
        let preset = try RunConfiguration(file: Repository.root + "Cluster/emoji.yaml")
        for name in [Study.Name.ablation, .main, .discriminator, .steps] {
            let study = Study(name, of: preset, size: StudySize(rounds: 2, localSteps: 96))
            #expect(study.summary.contains("trained on 1536 samples"), "\(study.summary)")
            #expect(Set(study.rows.map(\.label)).count == study.rows.count)
            let students = try study.rows.compactMap(resolved)
            #expect(students.count == study.rows.count - 2, "two rows are the teacher's")
            for student in students {
                #expect(student.cluster.rounds == 2 && student.cluster.localSteps == 96)
                #expect(student.training.batchSize == preset.training.batchSize)
                // 1536 updates have become 192.
                #expect(student.training.optimizer.decaySteps == 192)
                if student.training.method == .flowsteer {
                    #expect(student.training.adversarialStartStep == 160)
                }
                #expect(student.cluster.assignment == .ordered)
            }
        }
        let whole = try #require(try resolved(Study(.ablation, of: preset).rows[6]))
        #expect(whole.training == preset.training)
        #expect(whole.trajectory == preset.trajectory)
    }

    /// As many evaluations in a trainer a sample as make a method's training costly or cheap.
    private let perSample: [Method: Double] = [
        .flowsteer: 1.5, .pcm: 4, .hyperSD: 4, .flash: 3, .dmd: 4, .ladd: 3,
    ]

    @Test func `students of equal compute ask as often as the configuration's own method, and no oftener`()
        throws
    {
        let preset = try RunConfiguration(file: Repository.root + "Cluster/emoji.yaml")
        let size = StudySize(rounds: 6, localSteps: 256, equality: .evaluations)
        let study = Study(.main, of: preset, size: size)
        #expect(study.summary.contains("flowsteer\nasks for 12288 samples"), "\(study.summary)")
        func trainingPerSample(_ run: RunConfiguration) -> Double { perSample[run.training.method] ?? 1 }
        let equal = try study.equalizing(
            size,
            of: preset,
            resolve: configuration,
            trainingPerSample: trainingPerSample
        )
        #expect(equal.rows.map(\.label) == study.rows.map(\.label))
        // Six rounds of four batches, 32 prompts in 16 guided steps; and 1.5 a sample.
        let budget = 6.0 * (4 * 32 * 32 + 256 * 8 * 1.5)
        for row in equal.rows {
            guard let run = try resolved(row) else { continue }
            var longer = run
            longer.cluster.localSteps += 1
            let evaluations = [run, longer].map {
                Double($0.cluster.rounds)
                    * $0.evaluationsPerRound(trainingPerSample: trainingPerSample($0))
            }
            #expect(evaluations[0] <= budget && evaluations[1] > budget, "\(row.label): \(evaluations)")
            #expect(evaluations[0] > 0.95 * budget, "\(row.label): \(evaluations)")
            #expect(abs(run.training.optimizer.decaySteps - run.updates) <= 1, "\(row.label)")
            if run.training.method == .flowsteer { #expect(run.training == preset.training) }
        }
    }

    @Test func `too few evaluations for a row's first update are refused by name`() throws {
        let preset = try RunConfiguration(file: Repository.root + "Cluster/emoji.yaml")
        let size = StudySize(rounds: 1, localSteps: 1, equality: .evaluations)
        let study = Study(.main, of: preset, size: size)
        // PeRFlow's teacher solves each segment by itself, before anything is learned.
        #expect(throws: StudyError.tooFewEvaluations(row: "perflow", asked: 4104, least: 8200)) {
            try study.equalizing(size, of: preset, resolve: configuration) { _ in 1 }
        }
    }

    @Test func `the ablation has each of three switches alone, none of them, and all`() throws {
        let preset = try RunConfiguration(file: Repository.root + "Cluster/emoji.yaml")
        let students = try Study(.ablation, of: preset).rows.compactMap(resolved)
        let switches = students.map { student in
            [
                student.trajectory.onlineAlignment, student.training.isAdversarial(step: 1_000_000),
                student.trajectory.schedule == .rectified,
            ]
        }
        #expect(
            switches == [
                [false, false, false], [true, false, false], [false, true, false], [false, false, true],
                [true, true, true],
            ]
        )
    }

    @Test func `methods, discriminators and steps are what their rows say`() throws {
        let preset = try RunConfiguration(file: Repository.root + "Cluster/emoji.yaml")
        let methods = try Study(.main, of: preset).rows.compactMap(resolved).map(\.training.method)
        #expect(methods == Method.allCases)

        let tuned = try #require(Study(.main, of: preset).adding(["training.learning_rate=1e-4"], to: "ladd"))
        let rates = try tuned.rows.compactMap(resolved).map(\.training.optimizer.learningRate)
        #expect(rates == [Float](repeating: 1.5e-3, count: 8) + [1e-4])
        #expect(tuned.adding([], to: "teacher, 4 guided steps") == nil)

        let rows = Study(.discriminator, of: preset).rows
        let shapes = try rows.compactMap { row in
            try resolved(row).map { (row.label, $0.network.discriminator, $0.training) }
        }
        #expect(
            shapes.map(\.0) == [
                "depth=2, head=last, mode=full", "depth=1", "depth=4", "head=every", "mode=lora",
                "mode=frozen",
                "none",
            ]
        )
        #expect(shapes.map(\.1.depth) == [2, 1, 4, 2, 2, 2, 2])
        #expect(shapes.map(\.1.heads) == [.last, .last, .last, .every, .last, .last, .last])
        #expect(shapes.map(\.1.mode) == [.full, .full, .full, .full, .lora, .frozen, .full])
        #expect(
            shapes.map { $0.2.isAdversarial(step: 1_000_000) } == [true, true, true, true, true, true, false]
        )

        let steps = try Study(.steps, of: preset).rows.compactMap {
            row -> (Study.Training, RunConfiguration)? in
            guard case .distil(let training) = row.work, let student = try resolved(row) else { return nil }
            return (training, student)
        }
        #expect(steps.map { $0.0.steps ?? $0.1.trajectory.segments } == [1, 2, 4, 8, 1, 2, 8])
        #expect(steps.map(\.1.trajectory.segments) == [1, 2, 4, 8, 4, 4, 4])
        #expect(steps.allSatisfy { $0.1.trajectory.segments * $0.1.trajectory.stepsPerSegment == 16 })
        #expect(
            Set(steps.map(\.0.run)).count == 4,
            "a student is trained once, in however many steps it is sampled"
        )
    }
}
