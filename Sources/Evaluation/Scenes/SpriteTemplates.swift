import Tensors

/// All sprites in one size at all places where a scene may have them, compared with a picture by one product of
/// matrices.
struct SpriteTemplates: Sendable {
    /// A sprite at the place where it explains most.
    struct Match: Sendable {
        let placement: Scene.Placement
        /// By how much the squared deviation falls when the sprite is taken out.
        let gain: Float
        /// The gain as a part of the sprite's own squared deviation.
        let similarity: Float
        /// `[size, size, 3]`: the sprite's deviation from white.
        let template: [Float]
    }

    private let size: SpriteSize
    private let sprites: [Sprite]
    private let corners: [(x: Int, y: Int)]
    /// `[sprites, size · size · 3]`: deviations from white.
    private let templates: Tensor
    /// `[corners, sprites]`: squared deviations, as far as they lie in the picture.
    private let energies: [Float]

    init(_ atlas: SpriteAtlas, _ size: SpriteSize) {
        self.size = size
        sprites = atlas.catalog.objects + atlas.catalog.shapes
        let edge = size.pixelCount
        let range = -SceneDeviation.margin...Scene.pixelCount + SceneDeviation.margin - edge
        corners = range.flatMap { y in range.map { ($0, y) } }
        var values: [Float] = []
        for sprite in sprites {
            let image = atlas.image(of: sprite, size).values
            for pixel in stride(from: 0, to: image.count, by: 4) {
                for channel in 0..<3 { values.append(image[pixel + 3] - image[pixel + channel]) }
            }
        }
        let shape = [sprites.count, edge * edge * 3]
        templates = Tensor(values, shape: shape)
        let squares = Tensor(values.map { $0 * $0 }, shape: shape)
        let mask = SceneDeviation.mask.squares(of: edge, at: corners)
        energies = Self.products(mask, squares, on: Tape())
    }

    /// The match with the largest gain of those that are similar enough.
    func best(in rest: SceneDeviation, least: Float, on tape: Tape) -> Match? {
        let squares = rest.squares(of: size.pixelCount, at: corners)
        let products = Self.products(squares, templates, on: tape)
        var best: (index: Int, gain: Float)?
        for (index, energy) in energies.enumerated() where energy > 0 {
            // ‖d‖² − ‖d − t‖² = 2 d·t − ‖t‖²
            let gain = 2 * products[index] - energy
            if gain > best?.gain ?? 0, gain >= least * energy { best = (index, gain) }
        }
        return best.map { index, gain in
            let (corner, sprite) = (corners[index / sprites.count], index % sprites.count)
            let half = size.pixelCount / 2
            return Match(
                placement: .init(sprites[sprite], size, x: corner.x + half, y: corner.y + half),
                gain: gain,
                similarity: gain / energies[index],
                template: templates.row(sprite).values
            )
        }
    }

    /// Every row of one with every row of the other.
    private static func products(_ rows: Tensor, _ columns: Tensor, on tape: Tape) -> [Float] {
        let result = Tensor.zeros([rows.shape[0], columns.shape[0]])
        result.setProduct(rows, transposed: false, columns, transposed: true, on: tape)
        return result.values
    }
}
