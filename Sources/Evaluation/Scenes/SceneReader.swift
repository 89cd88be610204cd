package import Tensors

/// Says which sprites stand where in a picture, by analysis through synthesis: the sprite whose picture at some
/// place leaves least of the picture unexplained is taken out of it, until nothing that resembles a sprite is
/// left (matching pursuit, Mallat & Zhang 1993).
///
/// It knows the atlas and nothing of captions, is not trained, and never used in training.
package struct SceneReader: Sendable {
    /// A sprite that was seen.
    package struct Sighting: Sendable, Hashable {
        package let placement: Scene.Placement
        /// How much less of the picture is unexplained with the sprite than without, as a part of the sprite's
        /// own squared deviation from white: 1 for its very picture, 0 where white paper fits as well.
        package let similarity: Float
    }

    /// Sightings need at least this similarity.
    package static let leastSimilarity: Float = 0.3
    /// More sprites than any scene has, so that a scene with too many is seen to have them.
    private static let mostSightings = 8
    /// Times that every sighting is looked at again beside the others.
    private static let revisions = 2

    private let templates: [SpriteTemplates]

    package init(_ atlas: SpriteAtlas) {
        templates = SpriteSize.allCases.map { SpriteTemplates(atlas, $0) }
    }

    /// Reads a picture.
    ///
    /// - Parameter pixels: `[3, 32, 32]` in model space, −1 black and 1 white.
    /// - Returns: what was seen, the surest first.
    package func read(_ pixels: Tensor) -> [Sighting] {
        let tape = Tape()
        var rest = SceneDeviation(pixels)
        var found: [SpriteTemplates.Match] = []
        while found.count < Self.mostSightings, let match = best(in: rest, on: tape) {
            rest.remove(match)
            found.append(match)
        }
        for _ in 0..<Self.revisions {
            var isChanged = false
            for index in found.indices {
                rest.remove(found[index], scale: -1)
                let match = best(in: rest, on: tape) ?? found[index]
                rest.remove(match)
                isChanged = isChanged || match.placement != found[index].placement
                found[index] = match
            }
            if !isChanged { break }
        }
        return found.map { Sighting(placement: $0.placement, similarity: $0.similarity) }
            .sorted { $0.similarity > $1.similarity }
    }

    /// The match of both sizes that explains most.
    private func best(in rest: SceneDeviation, on tape: Tape) -> SpriteTemplates.Match? {
        templates.compactMap { $0.best(in: rest, least: Self.leastSimilarity, on: tape) }
            .max { $0.gain < $1.gain }
    }
}
