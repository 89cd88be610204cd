import ArgumentParser
import ClusterRuntime
import DiffusionModels
import Distillation
import Evaluation
import FlowMatching
import Foundation

extension EvaluateModelCommand {
    /// Draws the pictures of a benchmark, saying how far it is.
    func drawPictures(_ layout: PictureLayout) async throws {
        guard let out = pictures.out, let share = pictures.parsedShare else {
            throw ValidationError("--layout without --out: expected both")
        }
        let request = self
        let (steps, continuation) = AsyncStream.makeStream(of: (done: Int, total: Int).self)
        async let drawn = ComputeThread(name: "pictures").run {
            defer { continuation.finish() }
            return try request.draw(layout, into: out, share: share, progress: continuation)
        }
        var first: (done: Int, time: ContinuousClock.Instant)?
        for await (done, total) in steps {
            guard let start = first else {
                first = (done, .now)
                say("\(done) of \(total) pictures are there")
                continue
            }
            let rate = Double(done - start.done) / max(1e-3, (ContinuousClock.now - start.time) / .seconds(1))
            let left = rate > 0 ? String(format: "%.0f s left", Double(total - done) / rate) : ""
            say("\(done) of \(total) pictures, \(String(format: "%.1f", rate))/s, \(left)")
        }
        say("\(try await drawn) pictures drawn in \(out)")
    }

    private func draw(
        _ layout: PictureLayout,
        into out: String,
        share: LaidOutPictures.Share,
        progress: AsyncStream<(done: Int, total: Int)>.Continuation
    ) throws -> Int {
        let model = try ModelSampler(modelPath: heldOut.model, lanes: heldOut.lanes)
        let network = try student.map { path in
            try model.model.makeTransformer(student: StudentFile.read(path, for: model.model))
        }
        var sampling = StudentSampling()
        if let student {
            sampling = try StudentFile.sampling(student)
        } else {
            sampling.guidance = heldOut.guidance
        }
        let sampler = FewStepSampler(
            student: network ?? model.teacher,
            sampling,
            kind: pictures.schedule,
            steps: steps,
            shift: model.model.shift
        )
        let prompts = try laidOut(layout)
        let settings = try LaidOutPictures.settings(
            layout,
            of: prompts,
            model: model,
            studentPath: student,
            sampler: sampler,
            seed: heldOut.seed
        )
        return try LaidOutPictures(root: out, prompts: prompts, settings: settings, share: share)
            .draw(with: model, sampler, progress: progress)
    }

    private func laidOut(_ layout: PictureLayout) throws -> [LaidOutPrompt] {
        let samples = pictures.samples ?? layout.usualSampleCount
        if let path = heldOut.promptsFile {
            return try LaidOutPrompts.read(layout, path: path, samples: samples)
        }
        let captions = try SceneCaptions(SpriteCatalog(path: heldOut.spritesPath))
            .heldOut(count: heldOut.prompts, seed: heldOut.seed)
        return LaidOutPrompts.scenes(captions, layout, samples: samples)
    }
}
