package import Tensors

/// Judges pictures of captioned scenes, one caption a picture.
package struct SceneJudge: Sendable {
    package let captions: [SceneCaption]
    private let reader: SceneReader

    package init(_ captions: [SceneCaption], atlas: SpriteAtlas) {
        self.captions = captions
        reader = SceneReader(atlas)
    }

    /// A judge of pictures of prompts; nil unless every prompt is the caption of a scene.
    package init?(prompts: [String], atlas: SpriteAtlas) {
        let vocabulary = SceneVocabulary(atlas.catalog)
        let captions = prompts.compactMap(vocabulary.caption)
        guard captions.count == prompts.count else { return nil }
        self.init(captions, atlas: atlas)
    }

    /// The pictures' score.
    ///
    /// - Parameter pictures: `[captions, 3, 32, 32]` in model space; picture i belongs to caption i.
    package func score(_ pictures: Tensor, on pool: LanePool) -> SceneScore {
        precondition(pictures.shape[0] == captions.count, "a picture for each of \(captions.count) captions")
        let sightings = reader.read(pictures, on: pool)
        return SceneScore(
            zip(captions, sightings).map { caption, seen in
                (caption, caption.isShown(by: seen.map(\.placement)))
            }
        )
    }
}
