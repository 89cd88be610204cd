package import Tensors

/// Says which sprites stand where in a picture, by analysis through synthesis: the sprite whose picture at some
/// place leaves least of the picture unexplained is taken out of it, until nothing that resembles a sprite is
/// left (matching pursuit, Mallat & Zhang 1993).
///
/// As one big sprite explains much of four small ones, this is done twice, beginning with a big sprite and with
/// small ones alone; the reading that leaves less unexplained holds. The reader knows the atlas and nothing of
/// captions, is not trained, and never used in training.
package struct SceneReader: Sendable {
    /// A sprite that was seen.
    package struct Sighting: Sendable, Hashable {
        package let placement: Scene.Placement
        /// 2 d·t / (‖d‖² + ‖t‖²) of the picture's deviation d from white, other sprites taken out, and the
        /// sprite's own t, over the sprite's outline: 1 for its very picture, 0 where there is only paper.
        package let similarity: Float
    }

    /// Sightings need at least this similarity.
    package static let leastSimilarity: Float = 0.75
    /// What a sprite has to explain of Σ (deviation from white)², which is 3 for a black pixel: a speck is none.
    private static let leastGain: Float = 3
    /// More sprites than any scene has, so that a scene with too many is seen to have them.
    private static let mostSightings = 8
    /// Times that every sighting is looked at again beside the others.
    private static let revisions = 2

    private let big: SpriteTemplates
    private let small: SpriteTemplates

    package init(_ atlas: SpriteAtlas) {
        big = SpriteTemplates(atlas, .big)
        small = SpriteTemplates(atlas, .small)
    }

    /// Reads pictures, shared between the lanes of a pool.
    ///
    /// - Parameter pictures: `[pictures, 3, 32, 32]` in model space, −1 black and 1 white.
    /// - Returns: what was seen in each, the surest first.
    package func read(_ pictures: Tensor, on pool: LanePool) -> [[Sighting]] {
        let count = pictures.shape[0]
        let results = LaneResults(repeating: [Sighting](), count: count)
        pool.forEachShare(of: count) { lane, share in
            for index in share { results[index] = read(pictures.row(index), on: lane.tape) }
        }
        return results.values
    }

    /// Reads one picture, `[3, 32, 32]`.
    package func read(_ pixels: Tensor, on tape: Tape) -> [Sighting] {
        let deviation = SceneDeviation(pixels)
        let (first, second) = (
            reading(of: deviation, beginningWith: small, on: tape),
            reading(of: deviation, beginningWith: big, on: tape)
        )
        let better = first.cost <= second.cost ? first : second
        return better.matches.map { Sighting(placement: $0.placement, similarity: $0.similarity) }
            .sorted { $0.similarity > $1.similarity }
    }

    /// Sprites, and what they leave unexplained.
    private struct Reading {
        var matches: [SpriteTemplates.Match] = []
        var rest: SceneDeviation

        /// As every sprite explains something, one more has to be worth it.
        var cost: Float { rest.energy + SceneReader.leastGain * Float(matches.count) }
    }

    /// One sprite of some size, then small ones.
    private func reading(
        of deviation: SceneDeviation,
        beginningWith templates: SpriteTemplates,
        on tape: Tape
    ) -> Reading {
        var reading = Reading(rest: deviation)
        while reading.matches.count < Self.mostSightings {
            let isFirst = reading.matches.isEmpty
            guard let match = best(of: isFirst ? templates : small, in: reading.rest, on: tape) else { break }
            reading.rest.remove(match)
            reading.matches.append(match)
        }
        var revisions = 0
        while revisions < Self.revisions, revise(&reading, on: tape) { revisions += 1 }
        return reading
    }

    /// Looks at every sprite again, beside the others.
    ///
    /// - Returns: whether one changed.
    private func revise(_ reading: inout Reading, on tape: Tape) -> Bool {
        var isChanged = false
        for (index, old) in reading.matches.enumerated() {
            reading.rest.remove(old, scale: -1)
            let templates = old.placement.size == .big ? big : small
            let match = best(of: templates, in: reading.rest, near: old.placement, on: tape) ?? old
            reading.rest.remove(match)
            isChanged = isChanged || match.placement != old.placement
            reading.matches[index] = match
        }
        return isChanged
    }

    private func best(
        of templates: SpriteTemplates,
        in rest: SceneDeviation,
        near neighbour: Scene.Placement? = nil,
        on tape: Tape
    ) -> SpriteTemplates.Match? {
        templates.best(
            in: rest,
            near: neighbour,
            leastGain: Self.leastGain,
            leastSimilarity: Self.leastSimilarity,
            on: tape
        )
    }
}
