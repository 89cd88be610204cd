import Checkpoints
import Distillation
import Evaluation
import Foundation
import Tensors

/// A teacher's training on disk: its settings, the states it goes on from, the model and a sheet.
package struct PretrainingFolder: Sendable {
    package let path: String

    package init(_ path: String) { self.path = absolutePath(path, in: ".") }

    /// The trained model, as diffusers reads it.
    package var model: String { "\(path)/model" }
    package var samples: String { "\(path)/samples.png" }
    /// Pictures made latents.
    var latents: String { "\(path)/latents" }
    var states: String { "\(path)/states" }
    private var settings: String { "\(path)/pretraining.json" }

    /// Puts the sprites of scenes where a run, an evaluation and a study with the model look for them.
    func keepSprites(of catalog: String) throws {
        let kept = RunConfiguration.spritesPath(besideModel: model)
        for (file, target) in [
            (catalog, kept),
            (SpriteAtlas.picturePath(besideCatalog: catalog), SpriteAtlas.picturePath(besideCatalog: kept)),
        ] where !FileManager.default.fileExists(atPath: target) {
            try writeAtomically(try fileBytes(at: file), to: target)
        }
    }

    /// What makes a training the same.
    struct Settings: Codable, Equatable {
        /// `continue` or `from-scratch`.
        let start: String
        /// Hash of the model that it starts from.
        let model: ContentDigest
        let pictures: ContentDigest
        /// Of scenes; nil for other pictures, and in folders written before it could be said.
        let tasks: [Float]?
        let training: PretrainingSettings

        /// By the options that state them.
        fileprivate var values: [(option: String, value: String)] {
            let levels = training.noiseLevels
            let tasks = tasks ?? SceneTaskShares.standard.values
            return [
                ("the start", start), ("the model to start from, SHA-256", model.hex),
                ("pictures, SHA-256", pictures.hex),
                ("--tasks", tasks.map { "\($0)" }.joined(separator: ",")), ("--steps", "\(training.steps)"),
                ("--batch", "\(training.batchSize)"), ("--learning-rate", "\(training.learningRate)"),
                ("--warmup", "\(training.warmupSteps)"), ("--weight-decay", "\(training.weightDecay)"),
                ("--clip", "\(training.gradientClip)"), ("--average-decay", "\(training.averageDecay)"),
                ("--noise-mean", "\(levels.mean)"), ("--noise-deviation", "\(levels.deviation)"),
                ("--noise-uniform", "\(levels.uniformShare)"),
                ("--caption-dropout", "\(training.captionDropout)"), ("--seed", "\(training.seed)"),
            ]
        }
    }

    /// Makes the folder this training's, or makes sure that it is.
    func claim(for settings: Settings) throws {
        try LocalRunFolder.create(path)
        guard let data = FileManager.default.contents(atPath: self.settings) else {
            return try writeAtomically(try ReportCoding.encoded(settings), to: self.settings)
        }
        guard let there = try? ReportCoding.decoder.decode(Settings.self, from: data) else {
            throw PretrainingError.unreadable(path: self.settings)
        }
        for ((option, before), (_, now)) in zip(there.values, settings.values) where before != now {
            throw PretrainingError.otherSettings(
                path: self.settings,
                option: option,
                there: before,
                asked: now
            )
        }
    }
}
