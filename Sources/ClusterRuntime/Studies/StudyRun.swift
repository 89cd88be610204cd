import Checkpoints
import DiffusionModels
package import Evaluation

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
    ///   - training: of the rows that train.
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
        var bench: TeacherBench?
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
                case .train(let overrides):
                    let run = folder.run(row: row.label, seed: seed)
                    figures = try await training.report(of: overrides, seed: seed, in: run).costFigures
                case .draw(let drawing):
                    let guidance = drawing.guidance ?? configuration.evaluation.guidance
                    let former = bench
                    let fitting = try await thread.run {
                        try self.bench(of: seed, guidance: guidance, former: former)
                    }
                    bench = fitting
                    figures = try await thread.run { StudyCell.Figure.all(of: try fitting.measure(drawing)) }
                }
                let cell = StudyCell(row: row.label, seed: seed, figures: figures)
                try folder.write(cell)
                cells.append(cell)
            }
        }
        let table = StudyTable(cells)
        try folder.write(table, head: head)
        return table
    }

    /// The former bench where it is of the seed and guidance, else a new one.
    private func bench(of seed: UInt64, guidance: Float, former: TeacherBench?) throws -> TeacherBench {
        if let former, former.seed == seed, former.guidance == guidance { return former }
        var configuration = configuration
        configuration.seed = seed
        let model = try former?.model ?? ModelSampler(ModelFolder(of: configuration), lanes: lanes)
        return try TeacherBench(model, configuration: configuration, guidance: guidance)
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
