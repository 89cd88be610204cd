import ArgumentParser
import Checkpoints
import ClusterRuntime
import DiffusionModels
import Distillation
import FlowMatching
import Foundation
import Tensors

/// How numbers are stored, in the words of the field.
enum StoredPrecision: String, ExpressibleByArgument, CaseIterable {
    case fp32, fp16, bf16

    var type: ScalarType {
        switch self {
        case .fp32: .float32
        case .fp16: .float16
        case .bf16: .bfloat16
        }
    }
}

/// `flowsteer checkpoint export`.
struct CheckpointExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes a student for diffusers and ComfyUI, with its scheduler, sigmas and a model card."
    )

    @Argument(help: "A run's folder, a checkpoint's, or a student's file.")
    var source: String

    @Option(help: "The folder for the files.")
    var out: String

    @Option(help: "The model the student is of; default: the run's.")
    var model: String?

    @Option(help: "The round, of a run's folder; default: the newest whole checkpoint.")
    var round: UInt64?

    @Option(help: "The student's steps; default: the run's, else 4.")
    var steps: Int?

    @Option(help: "rectified or stock; default: the run's, else rectified.")
    var schedule: ScheduleKind?

    @Flag(help: "Writes a transformer folder, too; of adapters, with them added to the weights.")
    var merged = false

    @Option(help: "Of the adapters that are added; 1 is the student.")
    var scale: Float = 1

    @Option(help: "Of the transformer's numbers; default: the model's, of a full student fp32.")
    var precision: StoredPrecision?

    func validate() throws {
        if let steps, !(1...1000).contains(steps) {
            throw ValidationError("--steps is \(steps): expected 1 to 1000")
        }
        guard scale.isFinite else { throw ValidationError("--scale is \(scale): expected a number") }
        guard merged || scale == 1 else {
            throw ValidationError("--scale is for --merged: adapters are exported as they are")
        }
        guard merged || precision == nil else {
            throw ValidationError("--precision is for --merged: adapters are exported in fp32")
        }
    }

    func run() async throws {
        let request = self
        try await ComputeThread(name: "export").run { try request.export() }
        say("student in \(out)")
    }

    private func export() throws {
        let folder = LocalRunFolder(source)
        let isRun = FileManager.default.fileExists(atPath: folder.checkpoints)
        let run =
            isRun && FileManager.default.fileExists(atPath: folder.configuration)
            ? try RunConfiguration(file: folder.configuration) : nil
        guard let modelPath = model ?? run?.modelPath else {
            throw ValidationError("--model is missing: \(source) is no run's folder, which would name it")
        }
        guard isRun || round == nil else {
            throw ValidationError("--round is for a run's folder, which \(source) is not")
        }
        let opened = try ModelFolder(path: modelPath)
        let student = isRun ? try checkpoint(in: folder) : source
        let read = try StudentFile.read(student, for: opened)
        try refuseAdapters(of: read, at: student)
        let export = StudentExport(
            model: opened,
            student: read,
            schedule: SigmaSchedule(
                kind: schedule ?? run?.trajectory.schedule ?? .rectified,
                stepCount: steps ?? run?.trajectory.segments ?? 4,
                shift: opened.shift
            ),
            sampling: try StudentFile.sampling(student)
        )
        try export.write(to: out, as: precision?.type)
        if merged, case .adapters = read {
            try export.writeTransformer(to: out, scale: scale, as: precision?.type)
        }
    }

    /// A full student has no adapters that could be exported, or scaled.
    private func refuseAdapters(of student: Student, at path: String) throws {
        guard case .weights = student else { return }
        guard merged else {
            throw ValidationError(
                """
                \(path) is a full student, which has no adapters: expected --merged, which writes a transformer folder
                """
            )
        }
        guard scale == 1 else {
            throw ValidationError(
                "--scale is of adapters, and \(path) is a full student: expected no --scale"
            )
        }
    }

    private func checkpoint(in folder: LocalRunFolder) throws -> String {
        guard let round else { return try folder.latestCheckpoint() }
        return try CheckpointStore(reading: folder.checkpoints).verify(round: round).folder
    }
}
