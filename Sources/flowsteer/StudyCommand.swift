import ArgumentParser
import ClusterRuntime
import Evaluation
import Foundation

/// `flowsteer study`.
struct StudyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "study",
        abstract: "Compares configurations over several seeds and writes the table.",
        discussion: """
            scheduler: the teacher on the stock and on the rectified schedule. mismatch: the teacher gone on with \
            from interpolated states. compute: what every method evaluates and takes, from short runs. What is \
            finished lies in the folder and is not measured again, so the same command goes on where it was \
            stopped, or adds seeds.

            \(examples(
                "flowsteer study scheduler --config Cluster/emoji.yaml --out studies/scheduler",
                "flowsteer study mismatch --config Cluster/emoji.yaml --out studies/mismatch --seeds 5"
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

    @Option(help: "Threads that compute; default: one a core.")
    var lanes = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
        guard seeds >= 1 else { throw ValidationError("--seeds is \(seeds): expected 1 or more") }
        guard lanes >= 1 else { throw ValidationError("--lanes is \(lanes): expected 1 or more") }
    }

    func run() async throws {
        let configuration = try configured.read()
        let folder = StudyFolder(out)
        let run = StudyRun(
            Study(name, of: configuration),
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
        say("table     \(folder.markdown) (figures: table.json)")
    }
}

extension Study.Name: ExpressibleByArgument {}
