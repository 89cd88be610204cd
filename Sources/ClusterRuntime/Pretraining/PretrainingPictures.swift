package import Checkpoints
package import DiffusionModels
package import Evaluation
package import Tensors

/// What a teacher is trained on: captioned latents, of which an update takes some.
package enum PretrainingPictures: Sendable {
    /// Emoji scenes, as many as there are updates for, none seen twice but by chance.
    case scenes(ScenePictures, ContentDigest)
    /// Pictures, drawn with replacement.
    case latents(LatentFolder, ContentDigest)

    /// Emoji scenes over a list of sprites, for a model of their size.
    ///
    /// - Parameter tasks: how often each of the six comes.
    package static func scenes(
        spritesPath: String,
        tasks: SceneTaskShares,
        for model: TrainableModel
    ) throws -> PretrainingPictures {
        let edge = Scene.pixelCount
        let shape = model.outline.latentShape()
        guard shape == [3, edge, edge], !model.outline.hasAutoencoder else {
            throw ModelError.unsupported(
                path: "\(model.outline.path)/transformer/config.json",
                field: "in_channels and sample_size",
                value: "\(shape[0]) and \(shape[1])" + (model.outline.hasAutoencoder ? ", with a vae" : ""),
                expected: "3 and \(edge) without a vae, to train on scenes; --pictures takes any"
            )
        }
        let files = [spritesPath, SpriteAtlas.picturePath(besideCatalog: spritesPath)]
        let pictures = try ScenePictures(SpriteAtlas(catalogPath: spritesPath), shares: tasks)
        let digests = try files.flatMap { try ContentDigest(ofFile: $0).bytes }
        return .scenes(pictures, ContentDigest(of: digests))
    }

    /// Latents that `flowsteer encode` or ``LatentEncoding`` made.
    package static func latents(in folder: String) throws -> PretrainingPictures {
        let latents = try LatentFolder(path: folder)
        guard latents.count > 0 else {
            throw LatentError.badFolder(path: folder, reason: "holds no latents: no picture could be read")
        }
        return .latents(latents, try ContentDigest(ofFile: "\(folder)/\(LatentFolder.indexName)"))
    }

    /// Tells these pictures from others.
    package var digest: ContentDigest {
        switch self {
        case .scenes(_, let digest), .latents(_, let digest): digest
        }
    }

    /// The pictures of an update: a pure function of the seed and the update's number.
    ///
    /// - Returns: latents `[count, channels, height, width]`, and their captions.
    package func batch(step: Int, count: Int, seed: UInt64) throws -> (latents: Tensor, captions: [String]) {
        switch self {
        case .scenes(let scenes, _):
            let batch = scenes.training(step * count..<(step + 1) * count, seed: seed)
            return (batch.pictures, batch.captions.map(\.text))
        case .latents(let folder, _):
            var stream = RandomStream(key: seed ^ Self.choicePurpose, stream: UInt64(step))
            let samples = try (0..<count).map { _ in
                try folder.sample(stream.nextInteger(below: folder.count))
            }
            return (.stacked(samples.map(\.latents)), samples.map(\.caption.text))
        }
    }

    /// Captions for a sheet, and what its rows are called: of scenes that training never shows, or the first pictures'.
    func sheetCaptions() throws -> [(label: String, captions: [String])] {
        switch self {
        case .scenes(let scenes, _):
            let tasks = SceneTask.allCases
            let captions = scenes.captions.heldOut(count: Self.sheetColumns * tasks.count, seed: 0)
            return tasks.map { task in
                (task.rawValue, captions.filter { $0.task == task }.map(\.text))
            }
        case .latents(let folder, _):
            // Neighbours in a folder are often alike.
            let count = min(folder.count, Self.sheetColumns)
            let captions = try (0..<count).map { try folder.sample($0 * folder.count / count).caption.text }
            return [("", captions)]
        }
    }

    private static let sheetColumns = 8
    /// No stream of a choice is any other of a training's.
    private static let choicePurpose: UInt64 = 0x6368_6F69_6365_7321
}
