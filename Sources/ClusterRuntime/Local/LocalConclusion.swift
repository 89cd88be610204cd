import Checkpoints
import DiffusionModels
import Distillation
package import Evaluation
import FlowMatching
import Glibc
import ImageFiles

/// The end of a run on this machine: the student is measured and exported, the report written.
package struct LocalConclusion: Sendable {
    private let configuration: RunConfiguration
    private let folder: LocalRunFolder
    private let lanes: Int

    package init(_ configuration: RunConfiguration, folder: LocalRunFolder, lanes: Int) {
        self.configuration = configuration
        self.folder = folder
        self.lanes = lanes
    }

    /// Computes on a thread of its own; returns the table for the screen.
    ///
    /// - Parameter prompts: the held-out ones.
    package func conclude(
        prompts: [String],
        progress: AsyncStream<String>.Continuation
    ) async throws -> [EvaluationRow] {
        let thread = ComputeThread(name: "evaluation")
        return try await thread.run { try conclude(on: prompts, progress: progress) }
    }

    private func conclude(
        on prompts: [String],
        progress: AsyncStream<String>.Continuation
    ) throws -> [EvaluationRow] {
        defer { progress.finish() }
        let model = try ModelSampler(ModelFolder(of: configuration), lanes: lanes)
        let checkpoint = try folder.latestCheckpoint()
        let student = try StudentFile.read(checkpoint, for: model.model)
        let sampling = try StudentFile.sampling(checkpoint)
        let trajectory = configuration.trajectory
        let schedule = SigmaSchedule(
            kind: trajectory.schedule,
            stepCount: trajectory.segments,
            shift: model.model.shift
        )
        // First what people came for: an evaluation that fails must not cost them the student.
        try StudentExport(model: model.model, student: student, schedule: schedule, sampling: sampling)
            .write(to: folder.student)
        let evaluation = try StudentEvaluation(
            model,
            student: try model.model.makeTransformer(student: student),
            initial: try configuration.network.initialAdaptersPath.map {
                try model.model.makeTransformer(student: StudentFile.read($0, for: model.model))
            },
            prompts: prompts,
            judge: try HeldOutPrompts.judge(prompts, spritesPath: configuration.spritesPath, for: model),
            segments: trajectory.segments,
            schedule: trajectory.schedule,
            sampling: sampling,
            guidance: configuration.evaluation.guidance,
            negativePrompt: trajectory.negativePrompt,
            seed: configuration.seed
        )
        let result = EvaluationResult(of: evaluation, drawsPixels: model.drawsPixels, progress: progress)
        let sheet = try result.sheet.map(PNGFile.encode)
        if let sheet { try writeAtomically(sheet, to: folder.samples) }
        guard let status = try folder.readStatus() else {
            throw CheckpointError.unreadable(path: folder.status, reason: "there is no such file")
        }
        let usage = ProcessUsage(of: getpid())
        let report = RunReport(
            evaluation: result.rows,
            status: status,
            journal: folder.readJournal(),
            configuration: configuration,
            // The cluster's processes were this one's children.
            processorSeconds: usage.processorSeconds + usage.childrenProcessorSeconds
        )
        try writeAtomically(try report.json(), to: folder.reportJSON)
        try writeAtomically(Array(report.markdown.utf8), to: folder.reportMarkdown)
        try writeAtomically(Array(report.page(sheet: sheet ?? []).utf8), to: folder.reportPage)
        return result.rows
    }
}
