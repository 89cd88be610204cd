import Checkpoints
import DiffusionModels
package import Evaluation
import ImageFiles

/// Measures every cell of a study that is not in its folder yet, and writes the table.
package struct StudyRun: Sendable {
    private let study: Study
    private let configuration: RunConfiguration
    private let folder: StudyFolder
    private let training: StudyTraining
    private let seedCount: Int
    private let lanes: Int

    /// - Parameters:
    ///   - configuration: the base of all rows; seeds count up from its own.
    ///   - training: of the rows that train; with the overrides of the configuration.
    ///   - seedCount: 1 or more.
    package init(
        _ study: Study,
        configuration: RunConfiguration,
        folder: StudyFolder,
        training: StudyTraining,
        seedCount: Int,
        lanes: Int
    ) {
        precondition(seedCount >= 1, "a study has a seed")
        self.study = study
        self.configuration = configuration
        self.folder = folder
        self.training = training
        self.seedCount = seedCount
        self.lanes = lanes
    }

    /// Measures for as long as it takes; numerics are on a thread of their own.
    ///
    /// - Parameter progress: receives what is measured next; it is finished here.
    package func measure(progress: AsyncStream<String>.Continuation) async throws -> StudyTable {
        defer { progress.finish() }
        let thread = ComputeThread(name: "study")
        var stated = configuration
        // The digest says which teacher it is, wherever its folder lies.
        stated.modelPath = String(configuration.modelPath.split(separator: "/").last ?? "")
        try folder.claim(
            for: StudyFolder.Settings(
                study: study.name,
                model: try await thread.run { try ModelFolder(of: configuration).contentDigest().hex },
                rows: study.rows,
                configuration: stated.yaml
            )
        )
        var cells: [StudyCell] = []
        var bench: StudyBench?
        for offset in 0..<UInt64(seedCount) {
            let seed = configuration.seed &+ offset
            for row in study.rows {
                if let cell = try folder.cell(row: row.label, seed: seed) {
                    cells.append(cell)
                    continue
                }
                progress.yield("seed \(seed): \(row.label)")
                let figures: [StudyCell.Figure]
                switch row.work {
                case .train(let overrides, let operations):
                    let run = folder.run(row.label, seed: seed)
                    let report = try await training.report(of: overrides, seed: seed, in: run)
                    figures = report.costFigures + (operations.map(report.figures) ?? [])
                case .distil(let student):
                    let run = folder.run(student.run, seed: seed)
                    // The student is measured here, on the same bench as the others.
                    let overrides = student.overrides + ["evaluation.prompts=1"]
                    let report = try await training.report(of: overrides, seed: seed, in: run)
                    let former = bench
                    let (fitting, found) = try await thread.run {
                        let bench = try self.bench(of: seed, former: former)
                        return (bench, try measure(student, in: run, report, on: bench, row: row.label))
                    }
                    (bench, figures) = (fitting, found + report.trainingFigures)
                case .draw(let drawing):
                    let former = bench
                    let (fitting, found) = try await thread.run {
                        let bench = try self.bench(of: seed, guidance: drawing.guidance, former: former)
                        return (bench, try keep(try bench.measure(drawing), row: row.label, seed: seed))
                    }
                    (bench, figures) = (fitting, found)
                }
                let cell = StudyCell(row: row.label, seed: seed, figures: figures)
                try folder.write(cell)
                cells.append(cell)
            }
        }
        let table = StudyTable(cells)
        try folder.write(table, head: head, sheet: try sheet())
        return table
    }

    /// What there is to say of a run's last student.
    private func measure(
        _ student: Study.Training,
        in run: LocalRunFolder,
        _ report: RunReport,
        on bench: StudyBench,
        row: String
    ) throws -> [StudyCell.Figure] {
        let resolved = try RunConfiguration(yaml: report.configuration, path: run.configuration)
        let finding = try bench.measure(
            studentAt: try run.latestCheckpoint(),
            resolved.trajectory,
            steps: student.steps
        )
        return try keep(finding, row: row, seed: bench.seed)
    }

    /// Keeps the first seed's pictures for the sheet.
    private func keep(_ finding: StudyBench.Finding, row: String, seed: UInt64) throws -> [StudyCell.Figure] {
        if seed == configuration.seed, let strip = finding.pictures.flatMap(StudyPictures.strip) {
            try folder.write(strip: strip, row: row, seed: seed)
        }
        return StudyCell.Figure.all(of: finding.row)
    }

    /// The rows' pictures; nil of a study without any.
    private func sheet() throws -> Picture? {
        let strips = try study.rows.compactMap { row in
            try folder.strip(row: row.label, seed: configuration.seed).map { (row.label, $0) }
        }
        guard !strips.isEmpty else { return nil }
        let prompts = StudentEvaluation.shownPrompts(try HeldOutPrompts.prompts(of: configuration))
        return StudyPictures.sheet(
            strips.compactMap { label, strip in
                StudyPictures.pictures(of: strip, count: prompts.count).map { (label, $0) }
            },
            prompts: prompts
        )
    }

    /// The former bench where it is of the seed and guidance, else a new one.
    ///
    /// - Parameter guidance: nil takes the configuration's.
    private func bench(of seed: UInt64, guidance: Float? = nil, former: StudyBench?) throws -> StudyBench {
        let guidance = guidance ?? configuration.evaluation.guidance
        if let former, former.seed == seed, former.guidance == guidance { return former }
        var configuration = configuration
        configuration.seed = seed
        let model = try former?.model ?? ModelSampler(ModelFolder(of: configuration), lanes: lanes)
        return try StudyBench(model, configuration: configuration, guidance: guidance)
    }

    private var head: String {
        """
        # Study: \(study.name.rawValue)

        \(study.summary)

        Seeds \(configuration.seed) … \(configuration.seed &+ UInt64(seedCount - 1)); mean ± half the 95 % interval
        of Student's distribution over them. \(measures)The settings are in `study.json`.

        """
    }

    /// What the columns of an evaluation say.
    private var measures: String {
        guard study.name != .compute else { return "" }
        return """
            Each has \(configuration.evaluation.prompts) held-out prompts with noises of their own. Evaluations: of the
            network, a picture; a guided step costs two. Distance to teacher: root mean square, to the teacher's end
            in \(StudentEvaluation.referenceSteps) guided steps from the same noise. Fréchet distance: squared, to those
            pictures, of 48 colours and 16 contrasts of a picture's 4 x 4 cells; no trained network. Diversity: root
            mean square distance between pictures of one prompt from different noises. Scene score: mean of the six
            tasks' shares of pictures that show what their caption says.

            """
    }
}

extension Study.Drawing {
    /// The teacher's scale where the work states it.
    fileprivate var guidance: Float? {
        switch self {
        case .sample: nil
        case .resume(_, let guidance): guidance
        }
    }
}
