import ArgumentParser
import Benchmarks
import ClusterRuntime
import DiffusionModels
import Evaluation
import Foundation

/// `flowsteer study`.
struct StudyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "study",
        abstract: "Compares configurations over several seeds and writes the table.",
        discussion: """
            scheduler: the teacher on the stock and on the rectified schedule. mismatch: the teacher gone on with \
            from interpolated states. compute: what every method evaluates and takes, from short runs.

            Students are trained, as flowsteer local trains them, and measured: ablation: FlowSteer's parts alone and \
            together. main: every method. discriminator: its depth, head and mode. steps: students for 1, 2, 4 and 8 \
            steps. All students of a study train on equally many samples, or with --equal evaluations for as many \
            evaluations of networks as the configuration's own method asks for these; --rounds and --local-steps say \
            on how many, and what the configuration states in updates keeps its share of the run.

            What is finished lies in the folder and is not measured again, so the same command goes on where it was \
            stopped, or adds seeds. The folder then has table.md, table.json, plot.png, samples.png with a row a \
            configuration, and study.json, which says the exact configuration.

            \(examples(
                "flowsteer study scheduler --config Cluster/emoji.yaml --out studies/scheduler",
                "flowsteer study mismatch --config Cluster/emoji.yaml --out studies/mismatch --seeds 5",
                "flowsteer study ablation --config Cluster/emoji.yaml --out studies/ablation --rounds 2 --prompts 60",
                "flowsteer study main --config Cluster/emoji.yaml --out studies/main --equal evaluations"
            ))
            """
    )

    @Argument(help: "Which study.")
    var name: Study.Name

    @OptionGroup var configured: ConfigurationOptions

    @Option(help: "The study's folder.")
    var out: String

    @Option(help: "How many seeds, counted up from the configuration's.")
    var seeds = 3

    @Option(help: "Held-out prompts a row, in place of the configuration's.")
    var prompts: Int?

    @Option(help: "Rounds a student trains, in place of the configuration's.")
    var rounds: Int?

    @Option(help: "Updates of a round, in place of the configuration's.")
    var localSteps: Int?

    @Option(help: "What is the same for all students: samples, or evaluations of networks.")
    var equal = StudySize.Equality.samples

    @Option(
        name: .customLong("for"),
        parsing: .singleValue,
        help: ArgumentHelp("Overrides a key for one row's student alone.", valueName: "row:group.key=value")
    )
    var rowOverrides: [String] = []

    @Option(help: "Threads that compute; default: one a core.")
    var lanes = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
        guard seeds >= 1 else { throw ValidationError("--seeds is \(seeds): expected 1 or more") }
        for (option, count) in [("--prompts", prompts), ("--rounds", rounds), ("--local-steps", localSteps)] {
            guard let count, count < 1 else { continue }
            throw ValidationError("\(option) is \(count): expected 1 or more")
        }
        guard name.measuresStudents || (rounds == nil && localSteps == nil && equal == .samples) else {
            throw ValidationError(
                """
                --rounds, --local-steps and --equal are of studies whose students are measured, not of \
                \(name.rawValue)
                """
            )
        }
        guard lanes >= 1 else { throw ValidationError("--lanes is \(lanes): expected 1 or more") }
    }

    func run() async throws {
        let configuration = try configured.read(adding: prompts.map { ["evaluation.prompts=\($0)"] } ?? [])
        let study = try self.study(of: configuration)
        // What cannot be trained is said before anything is measured.
        for row in study.trained { _ = try configured.read(adding: row.overrides) }
        let folder = StudyFolder(out)
        let run = StudyRun(
            study,
            configuration: configuration,
            folder: folder,
            training: StudyTraining(
                configurationPath: configured.path,
                overrides: configured.overrides,
                executable: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            ),
            seedCount: seeds,
            lanes: lanes
        )
        let (rows, continuation) = AsyncStream.makeStream(of: String.self)
        async let table = run.measure(progress: continuation)
        for await row in rows { say("measuring \(row)") }
        say("\n" + (try await table).plainText)
        say("table     \(folder.markdown) (figures: table.json, plot: plot.png, pictures: samples.png)")
    }

    /// The study with what is stated of its students.
    private func study(of configuration: RunConfiguration) throws -> Study {
        let size = StudySize(rounds: rounds, localSteps: localSteps, equality: equal)
        let study = try stating(rowOverrides, of: Study(name, of: configuration, size: size))
        guard name != .compute else {
            return try study.counting(resolve: configured.read, operations: operations)
        }
        guard equal == .evaluations else { return study }
        return try study.equalizing(size, of: configuration, resolve: configured.read) { run in
            try TrainingEvaluations(
                network: run.network,
                settings: run.training,
                trajectory: run.trajectory,
                updates: run.updates
            ).perSample
        }
    }

    /// Those of a run on pictures of the model's own size.
    private func operations(of run: RunConfiguration) throws -> Study.Operations {
        let outline = try ModelOutline(path: run.modelPath)
        let side = outline.configuration.sampleSize
        let shape = BenchmarkShape(
            outline.configuration,
            extent: LatentExtent(rows: side, columns: side),
            textTokens: try outline.textPipeline().tokenCount,
            batch: 1
        )
        let evaluations = try StepEvaluations(
            network: run.network,
            settings: run.training,
            trajectory: run.trajectory,
            stage: .whole,
            updates: run.updates
        )
        return Study.Operations(
            evaluation: shape.forwardOperations,
            sample: shape.distillationOperations(evaluations, network: run.network)
        )
    }

    /// The study with what is stated of single rows.
    private func stating(_ rowOverrides: [String], of study: Study) throws -> Study {
        try rowOverrides.reduce(study) { study, text in
            let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
            guard parts.count == 2, let more = study.adding([parts[1]], to: parts[0]) else {
                let names = study.trained.map(\.name).joined(separator: "; ")
                throw ValidationError(
                    names.isEmpty
                        ? "--for \(text): no student of \(name.rawValue) is measured"
                        : "--for \(text): expected row:group.key=value, with one of these rows: \(names)"
                )
            }
            return more
        }
    }
}

extension Study.Name: ExpressibleByArgument {}

extension StudySize.Equality: ExpressibleByArgument {}
