package import Tensors

/// Captioned pictures of emoji scenes to train a teacher on; held-out pairs are in none of them.
///
/// A picture is a pure function of the seed and its place in the sequence.
package struct ScenePictures: Sendable {
    package let captions: SceneCaptions
    private let atlas: SpriteAtlas

    /// Pictures of an atlas' sprites.
    ///
    /// - Parameter shares: of the tasks in training.
    package init(_ atlas: SpriteAtlas, shares: SceneTaskShares = .standard) throws(EvaluationError) {
        self.atlas = atlas
        captions = try SceneCaptions(atlas.catalog, shares: shares)
    }

    /// Pictures `[places, 3, 32, 32]` in model space, and what they show.
    package func training(_ places: Range<Int>, seed: UInt64) -> (pictures: Tensor, captions: [SceneCaption])
    {
        let captions = captions.training(places, seed: seed)
        let pictures = zip(places, captions).map { place, caption in
            var stream = RandomStream(key: seed ^ Self.placementPurpose, stream: UInt64(place))
            return atlas.paint(Scene(caption, placedBy: &stream).placements)
        }
        return (.stacked(pictures), captions)
    }

    /// No stream of a placement is one of a caption's.
    private static let placementPurpose: UInt64 = 0x706C_6163_656D_656E
}
