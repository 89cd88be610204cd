import Checkpoints
import ClusterMessages
import DiffusionModels
import Distillation
import Evaluation
import FlowMatching
import ImageFiles
import Tensors

/// The newest student's pictures beside its teacher's, drawn after every round of a run on this machine.
///
/// They cost the teacher's evaluations once and the student's few a round, on one thread. Only models of pixels are
/// drawn: for those with an autoencoder it would take longer than people like a run to be slowed down by.
package struct ProgressSheet: Sendable {
    /// Columns: the first held-out prompts.
    private static let promptCount = 8
    /// Between two looks whether there is a new round.
    private static let pause: Duration = .seconds(1)

    private let configuration: RunConfiguration
    private let folder: LocalRunFolder
    private let prompts: [String]

    /// - Parameter prompts: the held-out ones, at least one.
    package init(_ configuration: RunConfiguration, folder: LocalRunFolder, prompts: [String]) {
        self.configuration = configuration
        self.folder = folder
        self.prompts = Array(prompts.prefix(Self.promptCount))
    }

    /// Writes `samples.png` after every committed round until the task is cancelled.
    package func run() async throws {
        let thread = ComputeThread(name: "progress-sheet")
        var painter: Painter?
        var drawn: UInt64 = 0
        while true {
            try await Task.sleep(for: Self.pause)
            guard let round = try? folder.readStatus()?.round.rawValue, round > drawn else { continue }
            if painter == nil { painter = try await thread.run { try Painter(configuration, prompts) } }
            guard let painter else { return }
            let bytes = try await thread.run { [folder] in
                try PNGFile.encode(painter.sheet(of: folder.latestCheckpoint(), round: round))
            }
            try writeAtomically(bytes, to: folder.samples)
            drawn = round
        }
    }
}

extension ProgressSheet {
    /// The networks, and the pictures that stay the same; nil for a model that draws no pixels.
    struct Painter: Sendable {
        private let sampler: ModelSampler
        private let configuration: RunConfiguration
        private let prompts: [String]
        private let text: (conditional: EncodedText, unconditional: EncodedText)
        private let noise: Tensor
        private let teacher: [Picture]
        private let untrained: [Picture]

        init?(_ configuration: RunConfiguration, _ prompts: [String]) throws {
            sampler = try ModelSampler(ModelFolder(of: configuration), lanes: 1)
            guard sampler.drawsPixels else { return nil }
            self.configuration = configuration
            self.prompts = prompts
            let trajectory = configuration.trajectory
            text = (try sampler.encode(prompts), try sampler.encode([trajectory.negativePrompt]))
            // The same as the evaluation's, so these pictures come again in its sheet.
            noise = sampler.noise(
                count: prompts.count,
                seed: configuration.seed ^ StudentEvaluation.noisePurpose
            )
            let shift = sampler.model.shift
            teacher = Self.pictures(
                FewStepSampler(
                    sampler.teacher,
                    schedule: .rectified(stepCount: StudentEvaluation.referenceSteps, shift: shift),
                    guidanceScale: configuration.evaluation.guidance
                ),
                sampler,
                text,
                noise
            )
            untrained = Self.pictures(
                FewStepSampler(
                    sampler.teacher,
                    schedule: SigmaSchedule(
                        kind: trajectory.schedule,
                        stepCount: trajectory.segments,
                        shift: shift
                    ),
                    guidanceScale: 1
                ),
                sampler,
                text,
                noise
            )
        }

        /// A row each: the teacher, it in as few steps as the student, the student.
        ///
        /// - Parameter checkpoint: the folder of a checkpoint, or a student's file.
        func sheet(of checkpoint: String, round: UInt64) throws -> Picture {
            let student = FewStepSampler(
                student: try sampler.model.makeTransformer(
                    student: StudentFile.read(checkpoint, for: sampler.model)
                ),
                try StudentFile.sampling(checkpoint),
                kind: configuration.trajectory.schedule,
                steps: configuration.trajectory.segments,
                shift: sampler.model.shift
            )
            return ContactSheet(
                rows: [teacher, untrained, Self.pictures(student, sampler, text, noise)],
                rowLabels: ["teacher", "before training", "student, round \(round)"],
                columnCaptions: prompts,
                scale: 4
            ).picture
        }

        private static func pictures(
            _ method: FewStepSampler,
            _ sampler: ModelSampler,
            _ text: (conditional: EncodedText, unconditional: EncodedText),
            _ noise: Tensor
        ) -> [Picture] {
            Picture.pictures(
                modelSpace: sampler.solve(
                    method,
                    from: noise,
                    conditional: text.conditional,
                    unconditional: text.unconditional
                )
            )
        }
    }
}
