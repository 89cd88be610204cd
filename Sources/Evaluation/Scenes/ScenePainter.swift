package import Tensors

extension SpriteAtlas {
    /// The picture of some placements over white, later ones over earlier ones.
    ///
    /// - Returns: `[3, 32, 32]` in model space, −1 black and 1 white.
    package func paint(_ placements: [Scene.Placement]) -> Tensor {
        let edge = Scene.pixelCount
        var planes = [Float](repeating: 1, count: 3 * edge * edge)
        for placement in placements {
            let image = image(of: placement.sprite, placement.size)
            let corner = placement.corner
            for row in max(0, -corner.y)..<min(image.size, edge - corner.y) {
                for column in max(0, -corner.x)..<min(image.size, edge - corner.x) {
                    let source = (row * image.size + column) * 4
                    let target = (corner.y + row) * edge + corner.x + column
                    for channel in 0..<3 {
                        let index = channel * edge * edge + target
                        planes[index] =
                            planes[index] * (1 - image.values[source + 3]) + image.values[source + channel]
                    }
                }
            }
        }
        return Tensor(planes.map { 2 * $0 - 1 }, shape: [3, edge, edge])
    }
}
