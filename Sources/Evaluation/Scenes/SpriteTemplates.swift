import Tensors

/// The left and upper edge of a sprite's square, in pixels from the picture's own.
typealias Corner = (x: Int, y: Int)

/// All sprites in one size at all places where a scene may have them, compared with a picture by products of
/// matrices.
struct SpriteTemplates: Sendable {
    /// A sprite at the place where it explains most.
    struct Match: Sendable {
        let placement: Scene.Placement
        /// By how much the squared deviation falls when the sprite is taken out.
        let gain: Float
        let similarity: Float
        /// `[size, size, 3]`: the sprite's deviation from white.
        let template: [Float]
    }

    let size: SpriteSize
    private let sprites: [Sprite]
    private let corners: [Corner]
    /// `[sprites, size · size · 3]`: deviations from white, t.
    private let templates: Tensor
    /// `[sprites, size · size]`: 1 where a sprite is not wholly transparent.
    private let supports: Tensor
    /// `[corners, sprites]`: ‖t‖², as far as it lies in the picture.
    private let energies: [Float]

    init(_ atlas: SpriteAtlas, _ size: SpriteSize) {
        self.size = size
        sprites = atlas.catalog.objects + atlas.catalog.shapes
        let edge = size.pixelCount
        let range = -SceneDeviation.margin...Scene.pixelCount + SceneDeviation.margin - edge
        corners = range.flatMap { y in range.map { ($0, y) } }
        var values: [Float] = []
        var opacities: [Float] = []
        for sprite in sprites {
            let image = atlas.image(of: sprite, size).values
            for pixel in stride(from: 0, to: image.count, by: 4) {
                for channel in 0..<3 { values.append(image[pixel + 3] - image[pixel + channel]) }
                opacities.append(image[pixel + 3])
            }
        }
        let shape = [sprites.count, edge * edge * 3]
        templates = Tensor(values, shape: shape)
        supports = Tensor(opacities.map { $0 > 0 ? 1 : 0 }, shape: [sprites.count, edge * edge])
        let mask = SceneDeviation.mask.squares(of: edge, at: corners)
        energies = Self.products(mask, Tensor(values.map { $0 * $0 }, shape: shape), on: Tape())
    }

    /// The match with the largest gain of those that are similar enough.
    ///
    /// - Parameters:
    ///   - neighbour: looks only as far as a few pixels from there.
    ///   - leastGain: what a match explains at least.
    ///   - leastSimilarity: from 0 to 1, see ``SceneReader/Sighting``.
    func best(
        in rest: SceneDeviation,
        near neighbour: Scene.Placement? = nil,
        leastGain: Float,
        leastSimilarity: Float,
        on tape: Tape
    ) -> Match? {
        let places = places(near: neighbour)
        let corners = places.map { self.corners[$0] }
        let edge = size.pixelCount
        let products = Self.products(rest.squares(of: edge, at: corners), templates, on: tape)
        let supported = Self.products(rest.energySquares(of: edge, at: corners), supports, on: tape)
        var best: (place: Int, sprite: Int, gain: Float, similarity: Float)?
        for (row, place) in places.enumerated() {
            for sprite in sprites.indices {
                let energy = energies[place * sprites.count + sprite]
                let product = products[row * sprites.count + sprite]
                // ‖d‖² − ‖d − t‖² = 2 d·t − ‖t‖²
                let gain = 2 * product - energy
                guard gain > best?.gain ?? leastGain else { continue }
                let similarity = 2 * product / (supported[row * sprites.count + sprite] + energy)
                if similarity >= leastSimilarity { best = (place, sprite, gain, similarity) }
            }
        }
        return best.map { place, sprite, gain, similarity in
            let (corner, half) = (self.corners[place], edge / 2)
            return Match(
                placement: .init(sprites[sprite], size, x: corner.x + half, y: corner.y + half),
                gain: gain,
                similarity: similarity,
                template: templates.row(sprite).values
            )
        }
    }

    /// Numbers of the corners within three pixels of a placement's, or all.
    private func places(near placement: Scene.Placement?) -> [Int] {
        guard let corner = placement?.corner else { return Array(corners.indices) }
        return corners.indices.filter {
            abs(corners[$0].x - corner.x) <= 3 && abs(corners[$0].y - corner.y) <= 3
        }
    }

    /// Every row of one with every row of the other.
    private static func products(_ rows: Tensor, _ columns: Tensor, on tape: Tape) -> [Float] {
        let result = Tensor.zeros([rows.shape[0], columns.shape[0]])
        result.setProduct(rows, transposed: false, columns, transposed: true, on: tape)
        return result.values
    }
}
