import ArgumentParser
import ClusterRuntime
import DiffusionModels
import Evaluation
import Foundation

/// `flowsteer local`.
struct LocalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "local",
        abstract: "Runs a whole cluster on this machine, measures the student and writes the report.",
        discussion: examples(
            "flowsteer local --config Cluster/emoji.yaml --run runs/first --rollouts 2 --trainers 2",
            "flowsteer local --config Cluster/emoji.yaml --run runs/try --set training.rounds=1 --no-http"
        )
    )

    @OptionGroup var configured: ConfigurationOptions

    @Option(name: .customLong("run"), help: "The run's folder; an unfinished run in it is gone on with.")
    var folder: String

    @Option(help: "Rollout workers.")
    var rollouts = 1

    @Option(help: "Trainer workers.")
    var trainers = 1

    @Option(help: "Threads of each worker; default: the cores shared between them.")
    var lanes: Int?

    @OptionGroup var web: WebArguments

    @OptionGroup var parent: ParentOptions

    @Flag(help: "Serve no live page; by default it is served on this machine, at a port the system chooses.")
    var noHttp = false

    func validate() throws {
        guard !noHttp || web.http == nil else { throw ValidationError("--no-http contradicts --http") }
        guard rollouts >= 1 else { throw ValidationError("--rollouts is \(rollouts): expected 1 or more") }
        guard trainers >= 1 else { throw ValidationError("--trainers is \(trainers): expected 1 or more") }
        if let lanes, lanes < 1 { throw ValidationError("--lanes is \(lanes): expected 1 or more") }
    }

    func run() async throws {
        parent.watch()
        // Trainers started together begin together, however long each of them takes to read the teacher.
        let together = "cluster.trainers_at_start=\(trainers)"
        let configuration = try configured.read(adding: [together])
        let faults = try FaultPlan(environment: ProcessInfo.processInfo.environment)
        // A model that is not there is said to be missing itself, not the sprites beside it.
        _ = try ModelOutline(path: configuration.modelPath)
        let prompts = try HeldOutPrompts.prompts(of: configuration)
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let folder = LocalRunFolder(folder)
        var options = LocalRunOptions(
            configurationPath: configured.path,
            overrides: configured.overrides + [together],
            modelPath: configuration.modelPath,
            runFolder: folder,
            rollouts: rollouts,
            trainers: trainers,
            lanes: lanes ?? max(1, cores / (rollouts + trainers)),
            executable: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        )
        if !noHttp {
            options.web = LocalRunOptions.Web(
                address: web.http ?? WebAddress(host: "127.0.0.1", port: 0),
                tokenPath: web.httpToken,
                names: web.httpName
            )
        }
        say("run \(folder.path): 1 coordinator, \(rollouts) rollout and \(trainers) trainer workers")
        say(
            "flowsteer status --run \(folder.path) says how it is doing; pause, resume, drain and checkpoint too"
        )
        let earlier = try RunReport.ofFinishedRun(in: folder)
        let sheet = ProgressSheet(configuration, folder: folder, prompts: prompts)
        let drawing = noHttp || earlier != nil ? nil : Task { try await sheet.run() }
        defer { drawing?.cancel() }
        try await LocalCluster(options, faults: faults).run()
        drawing?.cancel()
        // What was being drawn is not written over the final sheet; a run goes on without one.
        if case .failure(let error) = await drawing?.result, !(error is CancellationError) {
            say("no sheet was drawn during the run: \(error)")
        }
        if let earlier {
            say("the run was finished before: its report stays as it is")
            return show(earlier.evaluation, of: folder)
        }
        try await conclude(configuration, folder: folder, prompts: prompts, lanes: cores)
    }

    private func conclude(
        _ configuration: RunConfiguration,
        folder: LocalRunFolder,
        prompts: [String],
        lanes: Int
    ) async throws {
        let (names, continuation) = AsyncStream.makeStream(of: String.self)
        let conclusion = LocalConclusion(configuration, folder: folder, lanes: lanes)
        async let rows = conclusion.conclude(prompts: prompts, progress: continuation)
        for await name in names { say("evaluating on \(prompts.count) prompts: \(name)") }
        show(try await rows, of: folder)
    }

    private func show(_ found: [EvaluationRow], of folder: LocalRunFolder) {
        say("\n" + EvaluationTable(found).plainText)
        if let tasks = EvaluationTable(tasksOf: found) { say(tasks.plainText) }
        say("samples   \(folder.samples)")
        say("report    \(folder.reportPage) (the same as text: report.md)")
        say("student   \(folder.student)")
    }
}
