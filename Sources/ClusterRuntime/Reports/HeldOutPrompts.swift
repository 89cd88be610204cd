import DiffusionModels
package import Evaluation
import FoundationEssentials

/// The prompts a student is measured on.
package enum HeldOutPrompts {
    /// Held-out emoji scenes over the sprites of a list.
    package static func scenes(spritesPath: String, count: Int, seed: UInt64) throws(EvaluationError)
        -> [String]
    {
        try SceneCaptions(SpriteCatalog(path: spritesPath)).heldOut(count: count, seed: seed).map(\.text)
    }

    /// The non-empty lines of a file, at most `limit`.
    package static func lines(of path: String, limit: Int = .max) throws(EvaluationError) -> [String] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .unreadable(path: path, reason: "there is no such file")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw .unreadable(path: path, reason: "it is no UTF-8 text")
        }
        let lines = text.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }
        guard !lines.isEmpty else { throw .unreadable(path: path, reason: "it has no prompt") }
        return lines.prefix(limit).map(String.init)
    }

    /// Who scores pictures of the prompts; nil unless all are captions of scenes over the listed sprites, their
    /// pictures are beside the list, and the model draws scenes' size.
    package static func judge(
        _ prompts: [String],
        spritesPath: String,
        for model: ModelSampler
    ) throws(EvaluationError) -> SceneJudge? {
        let edge = Scene.pixelCount
        let files = FileManager.default
        guard model.drawsPixels, model.model.latentShape(count: 1) == [1, 3, edge, edge],
            files.fileExists(atPath: spritesPath),
            files.fileExists(atPath: SpriteAtlas.picturePath(besideCatalog: spritesPath))
        else { return nil }
        return try SceneJudge(prompts: prompts, atlas: SpriteAtlas(catalogPath: spritesPath))
    }

    /// The prompts a run's configuration names.
    package static func prompts(of configuration: RunConfiguration) throws -> [String] {
        let count = configuration.evaluation.prompts
        if let path = configuration.evaluation.path { return try lines(of: path, limit: count) }
        guard configuration.prompts.kind == .scenes else {
            throw ConfigurationError.missingKey(
                "evaluation.path",
                path: configuration.prompts.path ?? "prompts",
                expected: "a file with one held-out prompt a line"
            )
        }
        return try scenes(spritesPath: configuration.spritesPath, count: count, seed: configuration.seed)
    }
}
